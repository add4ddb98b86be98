package main

import (
	"slices"

	"github.com/pluvo/ghl"
)

// used are the operations that keeping in step needs. A test holds them against the requests that are really made.
var used = []string{
	"contacts.get", "contacts.list", "contacts.search", "contacts.findDuplicate", "contacts.create", "contacts.update", "contacts.delete",
	"tasks.list", "tasks.search", "tasks.create", "tasks.update", "tasks.setCompleted", "tasks.delete",
	"notes.list", "notes.create", "notes.update", "notes.delete",
	"appointments.listForContact", "appointments.get", "appointments.create", "appointments.update", "appointments.delete",
	"tags.add", "tags.remove",
	"calendars.list", "calendars.freeSlots", "calendars.events",
	"locations.get", "locations.customFields",
}

// usedByApps are those that an app needs beside: an agency's token gives those of its locations.
var usedByApps = []string{"oauth.locationToken", "oauth.installedLocations"}

// scopesOf are the least scopes for some operations.
func scopesOf(names ...string) []ghl.Scope {
	var operations []ghl.Operation
	for _, op := range ghl.Operations() {
		if slices.Contains(names, op.Name) {
			operations = append(operations, op)
		}
	}
	return ghl.ScopesFor(operations...)
}

// neededScopes are what an app asks for.
func neededScopes() []ghl.Scope { return scopesOf(append(slices.Clone(used), usedByApps...)...) }
