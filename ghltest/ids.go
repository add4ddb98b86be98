package ghltest

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// ids generates ids from a fixed seed.
type ids struct{ random *rand.Rand }

func newIDs() ids { return ids{rand.New(rand.NewPCG(2021, 7))} }

// id returns 20 letters and digits, the form of HighLevel's ids.
func (i ids) id() string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	var b [20]byte
	for n := range b {
		b[n] = alphabet[i.random.IntN(len(alphabet))]
	}
	return string(b[:])
}

// uuid returns a random UUID, the form of trace ids and tokens.
func (i ids) uuid() string {
	a, b := i.random.Uint64(), i.random.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x",
		a>>32, a>>16&0xffff, a&0xfff, b>>48&0x3fff|0x8000, b&0xffffffffffff)
}

// give generates an id in place of "", and refuses an id that cannot be used in a path.
func (i ids) give(id *string) error {
	setDefault(id, i.id())
	odd := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
	}
	if *id == "." || *id == ".." || strings.ContainsFunc(*id, odd) {
		return fmt.Errorf("invalid id %q: an id has only letters, digits, ., _ and -", *id)
	}
	return nil
}
