// Package pluvo holds Pluvo's records and the [Store] behind which they live: contacts, and the tasks, notes and
// appointments that belong to them.
//
// The records are a contract, not a discovered API: whoever connects a Pluvo implements [Store], and shows with
// [github.com/pluvo/ghl/pluvo/pluvotest.TestStore] that it does what its readers rely on. [NewMemoryStore] is one that lives
// in memory.
//
// Each record says where it came from, its [Origin], so that it can be found again and synced back. Each but the contact
// says which contact it belongs to.
package pluvo
