module github.com/pluvo/ghl/examples

go 1.26.0

replace github.com/pluvo/ghl => ../
