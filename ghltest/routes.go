package ghltest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/pluvo/ghl"
)

// row is what the fake knows of an operation. A new endpoint is one row: the catalog has its method and path.
type row struct {
	operation string // its name in the catalog
	status    int    // of success
	place     place
	body      properties // what the JSON of the request may hold; nil when there is none
	handle    func(*call) (any, error)
}

// place says where a request names its location, apart from a placeholder of the path.
type place uint8

const (
	nowhere place = iota
	inQuery
	inBody
	ofCompany // the operation needs a company's token
	open      // the operation needs no token and has no limit
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

	{"calendars.list", ok, inQuery, nil, (*call).listCalendars},
	{"calendars.freeSlots", ok, nowhere, nil, (*call).freeSlots},
	{"calendars.events", ok, inQuery, nil, (*call).listEvents},
	{"calendars.blockedSlots", ok, inQuery, nil, (*call).listBlockedSlots},
	{"calendars.block", created, inBody, blockProperties, (*call).blockSlot},

	{"locations.get", ok, nowhere, nil, (*call).getLocation},
	{"locations.customFields", ok, nowhere, nil, (*call).listCustomFields},
	{"locations.tags", ok, nowhere, nil, (*call).listTags},

	{"oauth.locationToken", created, ofCompany, nil, (*call).locationToken},
	{"oauth.installedLocations", ok, ofCompany, nil, (*call).installedLocations},
}

// routes finds the operation of a request: one tree of path segments for each generation of paths.
type routes struct{ old, v3 *node }

// node is a segment of a path.
type node struct {
	children map[string]*node
	any      *node // for a placeholder
	methods  map[string]*leaf
}

// leaf is where a path ends.
type leaf struct {
	op       ghl.Operation
	row      *row // with no handler where the fake has none
	template string
	names    []string // of the placeholders, in order
}

// route is where a request goes; it is empty for a path that the API does not have.
type route struct {
	*leaf
	row    *row
	op     *ghl.Operation
	values []string // of the placeholders, in order
}

func (r route) status() int {
	if r.row == nil {
		return http.StatusNotFound
	}
	return r.row.status
}

func (r route) name() string {
	if r.op == nil {
		return ""
	}
	return r.op.Name
}

func (r route) template() string {
	if r.leaf == nil {
		return ""
	}
	return r.leaf.template
}

// newRoutes puts the catalog's operations into the trees.
func newRoutes(rows []row) *routes {
	byName := map[string]*row{}
	for i := range rows {
		byName[rows[i].operation] = &rows[i]
	}
	t := &routes{old: new(node), v3: new(node)}
	for _, tree := range []*node{t.old, t.v3} {
		tree.add(tokenOperation.Path, &leaf{op: tokenOperation, row: &tokenRow, template: tokenOperation.Path})
	}
	for _, op := range ghl.Operations() {
		handler := byName[op.Name]
		if handler == nil {
			handler = &row{operation: op.Name}
		}
		pathV3 := op.Path
		if op.PathV3 != "" {
			pathV3 = op.PathV3
		}
		t.old.add(op.Path, &leaf{op: op, row: handler, template: op.Path})
		t.v3.add(pathV3, &leaf{op: op, row: handler, template: pathV3})
	}
	return t
}

func (n *node) add(template string, l *leaf) {
	for segment := range strings.SplitSeq(template[1:], "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			l.names = append(l.names, strings.TrimSuffix(name, "}"))
			if n.any == nil {
				n.any = new(node)
			}
			n = n.any
			continue
		}
		if n.children == nil {
			n.children = map[string]*node{}
		}
		if n.children[segment] == nil {
			n.children[segment] = new(node)
		}
		n = n.children[segment]
	}
	if n.methods == nil {
		n.methods = map[string]*leaf{}
	}
	n.methods[l.op.Method] = l
}

// find returns where a request goes. Paths of one generation do not exist in the other.
func (t *routes) find(r *http.Request, v ghl.Version) route {
	tree := t.old
	if v == ghl.VersionV3 {
		tree = t.v3
	}
	path, found := strings.CutPrefix(r.URL.EscapedPath(), "/")
	if !found {
		return route{}
	}
	var values []string
	l := tree.find(path, r.Method, &values)
	if l == nil {
		return route{}
	}
	for i, value := range values {
		if plain, err := url.PathUnescape(value); err == nil {
			values[i] = plain
		}
	}
	return route{leaf: l, row: l.row, op: &l.op, values: values}
}

// find goes down the tree. A segment that is written out wins over a placeholder, so "search" is no contact's id.
func (n *node) find(path, method string, values *[]string) *leaf {
	segment, rest, more := strings.Cut(path, "/")
	next := func(n *node) *leaf {
		switch {
		case n == nil:
			return nil
		case more:
			return n.find(rest, method, values)
		}
		return n.methods[method]
	}
	if l := next(n.children[segment]); l != nil {
		return l
	}
	if segment == "" {
		return nil
	}
	*values = append(*values, segment)
	if l := next(n.any); l != nil {
		return l
	}
	*values = (*values)[:len(*values)-1]
	return nil
}

// isOperation reports whether the fake knows an operation by this name.
func isOperation(name string) bool {
	return name == tokenOperation.Name ||
		slices.ContainsFunc(ghl.Operations(), func(op ghl.Operation) bool { return op.Name == name })
}
