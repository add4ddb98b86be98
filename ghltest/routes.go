package ghltest

import (
	"cmp"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/pluvo/ghl"
)

// row is the fake's side of an operation. The catalog of package ghl has its method, path and scopes, so one row adds
// an endpoint.
type row struct {
	operation string // its name in the catalog
	status    int    // of a success
	place     place
	body      properties // of the request's JSON; nil for a request without a body
	handle    func(*call) (any, error)
}

// place is where a request has its location's id, other than in the path.
type place uint8

const (
	nowhere place = iota
	inQuery
	inBody
	ofCompany // the operation needs a company's token
	ofEither  // the location is in the path, and a token of its company is accepted too
	open      // the operation needs no token and has no rate limit
)

const (
	ok      = http.StatusOK
	created = http.StatusCreated
)

var rows = []row{
	{"contacts.get", ok, nowhere, nil, (*call).getContact},
	{"contacts.list", ok, inQuery, nil, (*call).listContacts},
	{"contacts.listByBusiness", ok, inQuery, nil, (*call).listByBusiness},
	{"contacts.search", ok, inBody, searchProperties, (*call).searchContacts},
	{"contacts.findDuplicate", ok, inQuery, nil, (*call).findDuplicate},
	{"contacts.create", created, inBody, contactCreateProperties, (*call).createContact},
	{"contacts.update", ok, nowhere, contactUpdateProperties, (*call).updateContact},
	{"contacts.upsert", ok, inBody, contactUpsertProperties, (*call).upsertContact},
	{"contacts.delete", ok, nowhere, nil, (*call).deleteContact},
	{"contacts.setBusiness", ok, inBody, setBusinessProperties, (*call).setBusiness},

	{"tasks.list", ok, nowhere, nil, (*call).listTasks},
	{"tasks.get", ok, nowhere, nil, (*call).getTask},
	{"tasks.create", created, nowhere, taskCreateProperties, (*call).createTask},
	{"tasks.update", ok, nowhere, taskUpdateProperties, (*call).updateTask},
	{"tasks.setCompleted", ok, nowhere, taskCompletedProperties, (*call).updateTask},
	{"tasks.delete", ok, nowhere, nil, (*call).deleteTask},
	{"tasks.search", ok, nowhere, taskSearchProperties, (*call).searchTasks},

	{"notes.list", ok, nowhere, nil, (*call).listNotes},
	{"notes.get", ok, nowhere, nil, (*call).getNote},
	{"notes.create", created, nowhere, noteCreateProperties, (*call).createNote},
	{"notes.update", ok, nowhere, noteUpdateProperties, (*call).updateNote},
	{"notes.delete", ok, nowhere, nil, (*call).deleteNote},

	{"tags.add", created, nowhere, tagsProperties, (*call).addTags},
	{"tags.remove", ok, nowhere, tagsProperties, (*call).removeTags},
	{"tags.bulkUpdate", created, inBody, bulkTagsProperties, (*call).bulkUpdateTags},

	{"followers.add", created, nowhere, followersProperties, (*call).addFollowers},
	{"followers.remove", ok, nowhere, followersProperties, (*call).removeFollowers},

	{"campaigns.add", created, nowhere, properties{}, (*call).addCampaign},
	{"campaigns.remove", ok, nowhere, nil, (*call).removeCampaign},
	{"campaigns.removeAll", ok, nowhere, nil, (*call).removeAllCampaigns},

	{"workflows.add", ok, nowhere, workflowProperties, (*call).addWorkflow},
	{"workflows.remove", ok, nowhere, workflowProperties, (*call).removeWorkflow},

	{"appointments.listForContact", ok, nowhere, nil, (*call).listAppointments},
	{"appointments.get", ok, nowhere, nil, (*call).getAppointment},
	{"appointments.create", ok, inBody, appointmentCreateProperties, (*call).createAppointment},
	{"appointments.update", ok, nowhere, appointmentUpdateProperties, (*call).updateAppointment},
	{"appointments.delete", created, nowhere, properties{}, (*call).deleteAppointment},

	{"appointmentNotes.list", ok, nowhere, nil, (*call).listAppointmentNotes},
	{"appointmentNotes.create", created, nowhere, appointmentNoteProperties, (*call).createAppointmentNote},
	{"appointmentNotes.update", ok, nowhere, appointmentNoteProperties, (*call).updateAppointmentNote},
	{"appointmentNotes.delete", ok, nowhere, nil, (*call).deleteAppointmentNote},

	{"calendars.list", ok, inQuery, nil, (*call).listCalendars},
	{"calendars.freeSlots", ok, nowhere, nil, (*call).freeSlots},
	{"calendars.events", ok, inQuery, nil, (*call).listEvents},
	{"calendars.blockedSlots", ok, inQuery, nil, (*call).listBlockedSlots},
	{"calendars.block", created, inBody, blockProperties, (*call).blockSlot},

	{"locations.get", ok, ofEither, nil, (*call).getLocation},
	{"locations.customFields", ok, nowhere, nil, (*call).listCustomFields},
	{"locations.tags", ok, nowhere, nil, (*call).listTags},

	{"oauth.locationToken", created, ofCompany, nil, (*call).locationToken},
	{"oauth.installedLocations", ok, ofCompany, nil, (*call).installedLocations},
}

// endpoint is an operation at its path in one generation of the API.
type endpoint struct {
	*row     // handle is nil for an operation that the fake does not have
	op       *ghl.Operation
	template string
}

// name returns the name of the operation, "" for an unknown path.
func (e *endpoint) name() string {
	if e == nil {
		return ""
	}
	return e.op.Name
}

// path returns the path template, "" for an unknown path.
func (e *endpoint) path() string {
	if e == nil {
		return ""
	}
	return e.template
}

// successStatus returns the status of a success. An unknown path has none.
func (e *endpoint) successStatus() int {
	if e == nil {
		return http.StatusNotFound
	}
	return e.status
}

// isOpen reports whether the endpoint needs no token.
func (e *endpoint) isOpen() bool { return e != nil && e.place == open }

// routes has the paths of both generations of the API. A path of one generation does not exist in the other.
type routes struct{ old, v3 *paths }

// newRoutes returns routes that call serve with the endpoint of a request, or with nil for an unknown path or method.
func newRoutes(rows []row, serve func(http.ResponseWriter, *http.Request, *endpoint)) *routes {
	unknown := func(w http.ResponseWriter, r *http.Request) { serve(w, r, nil) }
	v3 := newPaths(unknown)
	old := newPaths(func(w http.ResponseWriter, r *http.Request) {
		if version(r) == "" { // the error of a request without a version names the version, not the path
			v3.ServeHTTP(w, r)
			return
		}
		unknown(w, r)
	})
	add := func(p *paths, template string, op *ghl.Operation, row *row) {
		at := &endpoint{row: row, op: op, template: template}
		p.handle(op.Method, template, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != op.Method { // http.ServeMux serves HEAD by the handler of GET
				unknown(w, r)
				return
			}
			serve(w, r, at)
		})
	}
	for _, p := range []*paths{old, v3} {
		add(p, tokenOperation.Path, &tokenOperation, &tokenRow)
	}
	for _, op := range ghl.Operations() {
		row := rowOf(rows, op.Name)
		add(old, op.Path, &op, row)
		add(v3, cmp.Or(op.PathV3, op.Path), &op, row)
	}
	return &routes{old, v3}
}

func rowOf(rows []row, operation string) *row {
	for i := range rows {
		if rows[i].operation == operation {
			return &rows[i]
		}
	}
	return &row{operation: operation}
}

// ServeHTTP serves a request by the paths of its version.
func (t *routes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if version(r) == ghl.VersionV3 {
		t.v3.ServeHTTP(w, r)
		return
	}
	t.old.ServeHTTP(w, r)
}

// paths has the paths of one generation. http.ServeMux refuses two patterns such as /contacts/business/{businessId}
// and /contacts/{contactId}/tasks, which overlap while neither is more specific. So the paths with a literal second
// segment have a mux of their own, which is tried first.
type paths struct {
	literal, placeholder *http.ServeMux
	unknown              http.HandlerFunc
	bare                 map[string]bool // paths that only exist with a slash at their end, without the slash
}

func newPaths(unknown http.HandlerFunc) *paths {
	p := &paths{http.NewServeMux(), http.NewServeMux(), unknown, map[string]bool{}}
	p.literal.Handle("/", p.placeholder)
	p.placeholder.Handle("/", unknown)
	return p
}

func (p *paths) handle(method, template string, handler http.HandlerFunc) {
	mux := p.literal
	if segments := strings.SplitN(template+"/", "/", 4); strings.HasPrefix(segments[2], "{") {
		mux = p.placeholder
	}
	if bare, ok := strings.CutSuffix(template, "/"); ok {
		template += "{$}"
		if !p.bare[bare] {
			p.bare[bare] = true
			mux.HandleFunc(bare, p.unknown) // http.ServeMux would redirect it
		}
	}
	mux.HandleFunc(method+" "+template, handler)
	if !strings.HasSuffix(template, "/{$}") { // HighLevel accepts a slash at the end of any path
		mux.HandleFunc(method+" "+template+"/{$}", handler)
	}
}

// ServeHTTP serves a request. http.ServeMux would redirect a path that is not clean.
func (p *paths) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := r.URL.EscapedPath()
	if !strings.HasPrefix(at, "/") || at != "/" && path.Clean(at) != strings.TrimSuffix(at, "/") {
		p.unknown(w, r)
		return
	}
	p.literal.ServeHTTP(w, r)
}

// isOperation reports whether the fake has an operation with this name.
func isOperation(name string) bool {
	return name == tokenOperation.Name ||
		slices.ContainsFunc(ghl.Operations(), func(op ghl.Operation) bool { return op.Name == name })
}
