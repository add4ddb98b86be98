package queue_test

import (
	"testing"

	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m, map[string]func([]string){}) }
