package ghl

import "net/http"

// catalog has every operation, in the order of the vendor's documents.
var catalog []*Operation

func define(op Operation) *Operation {
	catalog = append(catalog, &op)
	return &op
}

const (
	get  = http.MethodGet
	post = http.MethodPost
	put  = http.MethodPut
	del  = http.MethodDelete
)

var (
	readContacts  = []Scope{ScopeContactsReadonly}
	writeContacts = []Scope{ScopeContactsWrite}
	readEvents    = []Scope{ScopeCalendarsEventsReadonly}
	writeEvents   = []Scope{ScopeCalendarsEventsWrite}
)

// Repeatable are reads, updates that only set fields, deletes, and additions to sets. Operations that create a record, start a
// workflow or notify people are not repeatable. Neither is an upsert: two concurrent ones can create two contacts.
var (
	opContactsGet            = define(Operation{Name: "contacts.get", Method: get, Path: "/contacts/{contactId}", Scopes: readContacts, Repeatable: true, answer: "contact"})
	opContactsList           = define(Operation{Name: "contacts.list", Method: get, Path: "/contacts/", Scopes: readContacts, Repeatable: true, location: inQuery, answer: "contacts"})
	opContactsListByBusiness = define(Operation{Name: "contacts.listByBusiness", Method: get, Path: "/contacts/business/{businessId}", Scopes: readContacts, Repeatable: true, location: inQuery, answer: "contacts"})
	opContactsSearch         = define(Operation{Name: "contacts.search", Method: post, Path: "/contacts/search", Scopes: readContacts, Repeatable: true, location: inBody, answer: "contacts"})
	opContactsFindDuplicate  = define(Operation{Name: "contacts.findDuplicate", Method: get, Path: "/contacts/search/duplicate", Scopes: readContacts, Repeatable: true, location: inQuery, answer: "contact"})
	opContactsCreate         = define(Operation{Name: "contacts.create", Method: post, Path: "/contacts/", Scopes: writeContacts, location: inBody, answer: "contact"})
	opContactsUpdate         = define(Operation{Name: "contacts.update", Method: put, Path: "/contacts/{contactId}", Scopes: writeContacts, Repeatable: true, answer: "contact"})
	opContactsUpsert         = define(Operation{Name: "contacts.upsert", Method: post, Path: "/contacts/upsert", Scopes: writeContacts, location: inBody, answer: "."})
	opContactsDelete         = define(Operation{Name: "contacts.delete", Method: del, Path: "/contacts/{contactId}", Scopes: writeContacts, Repeatable: true})
	opContactsSetBusiness    = define(Operation{Name: "contacts.setBusiness", Method: post, Path: "/contacts/bulk/business", Scopes: writeContacts, Repeatable: true, location: inBody, answer: "."})

	opTasksList         = define(Operation{Name: "tasks.list", Method: get, Path: "/contacts/{contactId}/tasks", Scopes: readContacts, Repeatable: true, answer: "tasks"})
	opTasksGet          = define(Operation{Name: "tasks.get", Method: get, Path: "/contacts/{contactId}/tasks/{taskId}", Scopes: readContacts, Repeatable: true, answer: "task"})
	opTasksCreate       = define(Operation{Name: "tasks.create", Method: post, Path: "/contacts/{contactId}/tasks", Scopes: writeContacts, answer: "task"})
	opTasksUpdate       = define(Operation{Name: "tasks.update", Method: put, Path: "/contacts/{contactId}/tasks/{taskId}", Scopes: writeContacts, Repeatable: true, answer: "task"})
	opTasksSetCompleted = define(Operation{Name: "tasks.setCompleted", Method: put, Path: "/contacts/{contactId}/tasks/{taskId}/completed", Scopes: writeContacts, Repeatable: true, answer: "task"})
	opTasksDelete       = define(Operation{Name: "tasks.delete", Method: del, Path: "/contacts/{contactId}/tasks/{taskId}", Scopes: writeContacts, Repeatable: true})
	opTasksSearch       = define(Operation{Name: "tasks.search", Method: post, Path: "/locations/{locationId}/tasks/search", Scopes: []Scope{ScopeLocationsTasksReadonly}, Repeatable: true, answer: "tasks"})

	opNotesList   = define(Operation{Name: "notes.list", Method: get, Path: "/contacts/{contactId}/notes", Scopes: readContacts, Repeatable: true, answer: "notes"})
	opNotesGet    = define(Operation{Name: "notes.get", Method: get, Path: "/contacts/{contactId}/notes/{noteId}", Scopes: readContacts, Repeatable: true, answer: "note"})
	opNotesCreate = define(Operation{Name: "notes.create", Method: post, Path: "/contacts/{contactId}/notes", Scopes: writeContacts, answer: "note"})
	opNotesUpdate = define(Operation{Name: "notes.update", Method: put, Path: "/contacts/{contactId}/notes/{noteId}", Scopes: writeContacts, Repeatable: true, answer: "note"})
	opNotesDelete = define(Operation{Name: "notes.delete", Method: del, Path: "/contacts/{contactId}/notes/{noteId}", Scopes: writeContacts, Repeatable: true})

	opTagsAdd        = define(Operation{Name: "tags.add", Method: post, Path: "/contacts/{contactId}/tags", Scopes: writeContacts, Repeatable: true, answer: "tags"})
	opTagsRemove     = define(Operation{Name: "tags.remove", Method: del, Path: "/contacts/{contactId}/tags", Scopes: writeContacts, Repeatable: true, answer: "tags"})
	opTagsBulkUpdate = define(Operation{Name: "tags.bulkUpdate", Method: post, Path: "/contacts/bulk/tags/update/{type}", Scopes: writeContacts, Repeatable: true, location: inBody, answer: "."})

	opFollowersAdd    = define(Operation{Name: "followers.add", Method: post, Path: "/contacts/{contactId}/followers", Scopes: writeContacts, Repeatable: true, answer: "followers|followersAdded"})
	opFollowersRemove = define(Operation{Name: "followers.remove", Method: del, Path: "/contacts/{contactId}/followers", Scopes: writeContacts, Repeatable: true, answer: "followers|followersRemoved"})

	opCampaignsAdd       = define(Operation{Name: "campaigns.add", Method: post, Path: "/contacts/{contactId}/campaigns/{campaignId}", Scopes: writeContacts})
	opCampaignsRemove    = define(Operation{Name: "campaigns.remove", Method: del, Path: "/contacts/{contactId}/campaigns/{campaignId}", Scopes: writeContacts, Repeatable: true})
	opCampaignsRemoveAll = define(Operation{Name: "campaigns.removeAll", Method: del, Path: "/contacts/{contactId}/campaigns/removeAll", PathV3: "/contacts/{contactId}/campaigns/remove-all", Scopes: writeContacts, Repeatable: true})

	opWorkflowsAdd    = define(Operation{Name: "workflows.add", Method: post, Path: "/contacts/{contactId}/workflow/{workflowId}", Scopes: writeContacts})
	opWorkflowsRemove = define(Operation{Name: "workflows.remove", Method: del, Path: "/contacts/{contactId}/workflow/{workflowId}", Scopes: writeContacts, Repeatable: true})

	opAppointmentsListForContact = define(Operation{Name: "appointments.listForContact", Method: get, Path: "/contacts/{contactId}/appointments", Scopes: readContacts, Repeatable: true, answer: "events"})
	opAppointmentsGet            = define(Operation{Name: "appointments.get", Method: get, Path: "/calendars/events/appointments/{eventId}", Version: version20210415, Scopes: readEvents, Repeatable: true, answer: "event|appointment|."})
	opAppointmentsCreate         = define(Operation{Name: "appointments.create", Method: post, Path: "/calendars/events/appointments", Version: version20210415, Scopes: writeEvents, location: inBody, answer: "event|appointment|."})
	opAppointmentsUpdate         = define(Operation{Name: "appointments.update", Method: put, Path: "/calendars/events/appointments/{eventId}", Version: version20210415, Scopes: writeEvents, answer: "event|appointment|."})
	opAppointmentsDelete         = define(Operation{Name: "appointments.delete", Method: del, Path: "/calendars/events/{eventId}", Version: version20210415, Scopes: writeEvents, Repeatable: true})

	opAppointmentNotesList   = define(Operation{Name: "appointmentNotes.list", Method: get, Path: "/calendars/appointments/{appointmentId}/notes", Version: version20210415, Scopes: readEvents, Repeatable: true, answer: "notes"})
	opAppointmentNotesCreate = define(Operation{Name: "appointmentNotes.create", Method: post, Path: "/calendars/appointments/{appointmentId}/notes", Version: version20210415, Scopes: writeEvents, answer: "note"})
	opAppointmentNotesUpdate = define(Operation{Name: "appointmentNotes.update", Method: put, Path: "/calendars/appointments/{appointmentId}/notes/{noteId}", Version: version20210415, Scopes: writeEvents, Repeatable: true, answer: "note"})
	opAppointmentNotesDelete = define(Operation{Name: "appointmentNotes.delete", Method: del, Path: "/calendars/appointments/{appointmentId}/notes/{noteId}", Version: version20210415, Scopes: writeEvents, Repeatable: true})

	opCalendarsList         = define(Operation{Name: "calendars.list", Method: get, Path: "/calendars/", Version: version20210415, Scopes: []Scope{ScopeCalendarsReadonly}, Repeatable: true, location: inQuery, answer: "calendars"})
	opCalendarsFreeSlots    = define(Operation{Name: "calendars.freeSlots", Method: get, Path: "/calendars/{calendarId}/free-slots", Version: version20210415, Scopes: []Scope{ScopeCalendarsReadonly}, Repeatable: true, answer: "."})
	opCalendarsEvents       = define(Operation{Name: "calendars.events", Method: get, Path: "/calendars/events", Version: version20210415, Scopes: readEvents, Repeatable: true, location: inQuery, answer: "events"})
	opCalendarsBlockedSlots = define(Operation{Name: "calendars.blockedSlots", Method: get, Path: "/calendars/blocked-slots", Version: version20210415, Scopes: readEvents, Repeatable: true, location: inQuery, answer: "events"})
	opCalendarsBlock        = define(Operation{Name: "calendars.block", Method: post, Path: "/calendars/events/block-slots", Version: version20210415, Scopes: writeEvents, location: inBody, answer: "event|."})

	opLocationsGet          = define(Operation{Name: "locations.get", Method: get, Path: "/locations/{locationId}", Scopes: []Scope{ScopeLocationsReadonly}, Repeatable: true, answer: "location"})
	opLocationsCustomFields = define(Operation{Name: "locations.customFields", Method: get, Path: "/locations/{locationId}/customFields", Scopes: []Scope{ScopeLocationsCustomFieldsReadonly}, Repeatable: true, answer: "customFields"})
	opLocationsTags         = define(Operation{Name: "locations.tags", Method: get, Path: "/locations/{locationId}/tags", Scopes: []Scope{ScopeLocationsTagsReadonly}, Repeatable: true, answer: "tags"})

	opOAuthLocationToken      = define(Operation{Name: "oauth.locationToken", Method: post, Path: "/oauth/locationToken", PathV3: "/oauth/location-token", Scopes: []Scope{ScopeOAuthWrite}, answer: ".", company: true})
	opOAuthInstalledLocations = define(Operation{Name: "oauth.installedLocations", Method: get, Path: "/oauth/installedLocations", PathV3: "/oauth/installed-locations", Scopes: []Scope{ScopeOAuthReadonly}, Repeatable: true, answer: "locations|items", company: true})
)
