package main

import (
	"slices"

	"github.com/pluvo/ghl"
)

// used are the operations that a sync calls. A test compares them with the requests of the demo.
var used = []string{
	"contacts.get", "contacts.list", "contacts.search", "contacts.findDuplicate", "contacts.create", "contacts.update",
	"contacts.delete",
	"tasks.list", "tasks.search", "tasks.create", "tasks.update", "tasks.setCompleted", "tasks.delete",
	"notes.list", "notes.create", "notes.update", "notes.delete",
	"appointments.listForContact", "appointments.get", "appointments.create", "appointments.update",
	"appointments.delete",
	"tags.add", "tags.remove",
	"calendars.list", "calendars.freeSlots", "calendars.events",
	"locations.get", "locations.customFields",
}

// usedByApps are further operations that an app calls: the token of an agency derives those of its locations.
var usedByApps = []string{"oauth.locationToken", "oauth.installedLocations"}

// scopesOf returns the fewest scopes that some operations require.
func scopesOf(names ...string) []ghl.Scope {
	var operations []ghl.Operation
	for _, op := range ghl.Operations() {
		if slices.Contains(names, op.Name) {
			operations = append(operations, op)
		}
	}
	return ghl.ScopesFor(operations...)
}

// neededScopes returns the scopes that an app asks for.
func neededScopes() []ghl.Scope { return scopesOf(append(slices.Clone(used), usedByApps...)...) }
