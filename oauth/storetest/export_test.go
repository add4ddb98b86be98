package storetest

import "time"

// Stores that hang are found sooner.
func init() { patience = 5 * time.Second }
