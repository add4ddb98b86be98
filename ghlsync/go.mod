module github.com/pluvo/ghl/ghlsync

go 1.26.0
