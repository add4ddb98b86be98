package webhook

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/pluvo/ghl"
)

// ErrUnreadable: a body is no JSON object with a type, so it is no event.
var ErrUnreadable = errors.New("webhook: the body is no event")

// Decode reads an event, flat or with its record under "data", an appointment also under "appointment". Missing properties,
// odd values and unknown properties never fail it: what has no field is in the record's Extra; what stands beside a nested
// record, and is no part of the envelope, only in Raw. The error is [ErrUnreadable]. The event keeps body, in Raw.
//
// It does not look at a signature: what comes from outside goes through [Verifier.Open].
func Decode(body []byte) (Event, error) {
	var room [40]field // on the stack, and enough for the usual record
	o, ok := parse(body, room[:0])
	if !ok {
		return nil, ErrUnreadable
	}
	meta := Envelope{Type: Type(o.text("type")), Raw: body}
	if meta.Type == "" {
		return nil, ErrUnreadable
	}
	o.readEnvelope(&meta)
	o.flat = true
	if data := o.get("data"); isObject(data) && o.text("id") == "" {
		o, _ = parse(data, o.fields[:0]) // it was found valid
		o.readEnvelope(&meta)
	}
	return o.event(meta)
}

// event reads the record, which is the object itself or, of an appointment, under "appointment". Each decode is called by
// its own name, not through an interface, so that the object stays on the stack.
func (o object) event(meta Envelope) (e Event, err error) {
	switch meta.Type {
	case ContactCreate, ContactUpdate, ContactDelete, ContactTagUpdate, ContactDndUpdate:
		contact := &ContactEvent{Envelope: meta}
		e, err = contact, contact.decode(o)
	case TaskCreate, TaskComplete, TaskDelete:
		task := &TaskEvent{Envelope: meta}
		e, err = task, task.decode(o)
	case NoteCreate, NoteUpdate, NoteDelete:
		note := &NoteEvent{Envelope: meta}
		e, err = note, note.decode(o)
	case AppointmentCreate, AppointmentUpdate, AppointmentDelete:
		if record := o.get("appointment"); isObject(record) {
			o, _ = parse(record, o.fields[:0])
			o.readEnvelope(&meta)
		}
		appointment := &AppointmentEvent{Envelope: meta}
		e, err = appointment, appointment.decode(o)
	case AppInstall:
		install := &InstallEvent{Envelope: meta}
		install.decode(o)
		e = install
	case AppUninstall:
		uninstall := &UninstallEvent{Envelope: meta}
		uninstall.decode(o)
		e = uninstall
	default:
		e = &UnknownEvent{Envelope: meta}
	}
	if err != nil {
		return nil, ErrUnreadable
	}
	return e, nil
}

func (e *ContactEvent) decode(o object) error {
	if !fastContact(o, &e.Contact) {
		if err := e.Contact.UnmarshalJSON(o.record()); err != nil {
			return err
		}
	}
	fill(&e.Contact.LocationID, e.LocationID)
	return nil
}

func (e *TaskEvent) decode(o object) error {
	if !fastTask(o, &e.Task) {
		if err := e.Task.UnmarshalJSON(o.record()); err != nil {
			return err
		}
	}
	if said := o.get("completed"); e.Type == TaskComplete && (said == nil || string(said) == "null") {
		e.Task.Completed = true
	}
	fill(&e.Task.LocationID, e.LocationID)
	return nil
}

func (e *NoteEvent) decode(o object) error {
	o.noLocation = true
	if !fastNote(o, &e.Note) {
		return e.Note.UnmarshalJSON(o.record())
	}
	return nil
}

func (e *AppointmentEvent) decode(o object) error {
	if !fastAppointment(o, &e.Appointment) {
		if err := e.Appointment.UnmarshalJSON(o.record()); err != nil {
			return err
		}
	}
	fill(&e.Appointment.LocationID, e.LocationID)
	return nil
}

func (e *InstallEvent) decode(o object) {
	for _, f := range o.fields {
		var to any
		switch string(f.key) {
		case "userId":
			to = &e.UserID
		case "planId":
			to = &e.PlanID
		case "companyName":
			to = &e.CompanyName
		case "installType":
			to = &e.InstallType
		case "isWhitelabelCompany":
			to = &e.IsWhitelabelCompany
		case "whitelabelDetails":
			to = &e.WhitelabelDetails
		case "trial":
			to = &e.Trial
		}
		if to == nil && !inEnvelope(f.key) || to != nil && json.Unmarshal(f.value, to) != nil {
			keep(&e.Extra, f)
		}
	}
}

func (e *UninstallEvent) decode(o object) {
	for _, f := range o.fields {
		if !inEnvelope(f.key) {
			keep(&e.Extra, f)
		}
	}
}

func fill(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

func keep(extra *ghl.Extra, f field) {
	if *extra == nil {
		*extra = ghl.Extra{}
	}
	(*extra)[string(f.key)] = bytes.Clone(f.value)
}

// field is one property of a JSON object. Both parts lie in the body, unless the key is escaped there.
type field struct {
	key, value []byte
	plain      bool // the value is a string that stands for its own bytes
}

// object is a JSON object by its properties, in their order.
type object struct {
	fields     []field
	flat       bool // the envelope is among the properties
	noLocation bool // of the record, which has no field for it
}

// parse reads the properties of an object into room; false if the data is no object or no valid JSON. It changes nothing
// through a pointer, so that room can lie on the stack.
func parse(data []byte, room []field) (object, bool) {
	fields := room
	s := scanner{data: data}
	if !s.take('{') {
		return object{}, false
	}
	if s.take('}') {
		return object{fields: fields}, s.atEnd()
	}
	for {
		key, ok := s.value()
		if !ok || key[0] != '"' {
			return object{}, false
		}
		if s.plain {
			key = key[1 : len(key)-1]
		} else {
			key = unquoted(key)
		}
		if !s.take(':') {
			return object{}, false
		}
		value, ok := s.value()
		if !ok {
			return object{}, false
		}
		fields = append(fields, field{key, value, value[0] == '"' && s.plain})
		if s.take('}') {
			return object{fields: fields}, s.atEnd()
		}
		if !s.take(',') {
			return object{}, false
		}
	}
}

// get returns the value of a property, the last one if it comes several times; nil if there is none.
func (o object) get(key string) []byte {
	for i := len(o.fields) - 1; i >= 0; i-- {
		if string(o.fields[i].key) == key {
			return o.fields[i].value
		}
	}
	return nil
}

// text returns a property that is a text or a number; else "".
func (o object) text(key string) string { return scalar(o.get(key)) }

func (f *field) scalar() string {
	if f.plain {
		return string(f.value[1 : len(f.value)-1])
	}
	return scalar(f.value)
}

// readEnvelope adds what the envelope lacks. Of a property that comes several times the last one counts.
func (o object) readEnvelope(meta *Envelope) {
	var in Envelope
	for _, f := range o.fields {
		switch string(f.key) {
		case "locationId":
			in.LocationID = f.scalar()
		case "companyId":
			in.CompanyID = f.scalar()
		case "appId":
			in.AppID = f.scalar()
		case "versionId":
			in.VersionID = f.scalar()
		case "webhookId":
			in.WebhookID = f.scalar()
		case "timestamp":
			_ = in.Timestamp.UnmarshalJSON(f.value) // keeps what it cannot read
		}
	}
	fill(&meta.LocationID, in.LocationID)
	fill(&meta.CompanyID, in.CompanyID)
	fill(&meta.AppID, in.AppID)
	fill(&meta.VersionID, in.VersionID)
	fill(&meta.WebhookID, in.WebhookID)
	if meta.Timestamp.IsZero() && !(in.Timestamp.IsZero() && meta.Timestamp.Raw() != "") {
		meta.Timestamp = in.Timestamp
	}
}

func inEnvelope(key []byte) bool {
	switch string(key) {
	case "type", "locationId", "companyId", "appId", "versionId", "webhookId", "timestamp":
		return true
	}
	return false
}

// record returns the JSON of the record. Where the envelope is among its properties it is left out, but for the location's
// id, which is also the record's: a contact has a type of its own.
func (o object) record() []byte {
	b := []byte{'{'}
	for _, f := range o.fields {
		if o.skips(f) {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		key, _ := json.Marshal(string(f.key)) // a string is never refused
		b = append(b, key...)
		b = append(b, ':')
		b = append(b, f.value...)
	}
	return append(b, '}')
}

// skips reports whether a property belongs to the envelope alone.
func (o object) skips(f field) bool {
	return o.flat && inEnvelope(f.key) && (o.noLocation || string(f.key) != "locationId")
}

func isObject(value []byte) bool { return len(value) > 0 && value[0] == '{' }

// unquoted returns what a JSON string stands for.
func unquoted(quoted []byte) []byte {
	if text, ok := plain(quoted); ok {
		return text
	}
	var text string
	_ = json.Unmarshal(quoted, &text) // it was found valid
	return []byte(text)
}

// scalar returns a text, or a number as it is written; else "".
func scalar(value []byte) string {
	switch {
	case len(value) == 0:
		return ""
	case value[0] == '"':
		return string(unquoted(value))
	case value[0] == '-' || value[0] >= '0' && value[0] <= '9':
		return string(value)
	}
	return ""
}
