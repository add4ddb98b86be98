// Command sync uses both modules as a program outside of this repository does.
package main

import (
	"fmt"
	"os"

	"github.com/pluvo/ghl"
	_ "github.com/pluvo/ghl/ghlsync"
)

func main() {
	if _, err := ghl.New(ghl.WithToken("pit-outsider")); err != nil {
		fmt.Fprintln(os.Stderr, "outsider:", err)
		os.Exit(1)
	}
	fmt.Println("outsider: both modules build")
}
