package main

import (
	"net"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/pluvo/ghl/pluvo"
)

func newListener() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }

func emptyStore() pluvo.Store { return pluvo.NewMemoryStore() }

var exampleLine = regexp.MustCompile(`^(  )*(- )?[{a-z_]+:`)

func find(p *program, args []string) *cobra.Command {
	c, _, err := p.command().Find(args)
	if err != nil {
		panic(err)
	}
	return c
}
