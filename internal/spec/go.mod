module github.com/pluvo/ghl/internal/spec

go 1.26

replace github.com/pluvo/ghl => ../../
