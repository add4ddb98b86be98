// Package pluvo defines Pluvo's records and the [Store] that holds them: contacts, and the tasks, notes and
// appointments that belong to a contact.
//
// To connect a Pluvo, implement [Store] and test it with [github.com/pluvo/ghl/pluvo/pluvotest.TestStore].
// [NewMemoryStore] returns an implementation in memory.
//
// Each record has an [Origin], by which a record from another system is found again and synced back. Each task, note
// and appointment names its contact.
package pluvo
