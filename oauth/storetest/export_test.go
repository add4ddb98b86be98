package storetest

import "time"

// A shorter patience finds stores that hang sooner.
func init() { patience = 5 * time.Second }
