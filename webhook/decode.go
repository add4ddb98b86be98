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
// odd values and unknown properties never fail it: what has no field is in the record's Extra. The error is
// [ErrUnreadable]. The event keeps body, in Raw.
//
// It does not look at a signature: what comes from outside goes through [Verifier.Open].
func Decode(body []byte) (Event, error) {
	o := object{fields: make([]field, 0, 40)}
	if !o.read(body) {
		return nil, ErrUnreadable
	}
	meta := Envelope{Type: Type(o.text("type")), Raw: body}
	if meta.Type == "" {
		return nil, ErrUnreadable
	}
	o.readEnvelope(&meta)
	o.flat = true
	if data := o.get("data"); isObject(data) && o.get("id") == nil {
		o = object{fields: o.fields[:0]}
		o.read(data)
		o.readEnvelope(&meta)
	}
	return o.event(meta)
}

// event reads the record, which is the object itself or, of an appointment, under "appointment".
func (o *object) event(meta Envelope) (Event, error) {
	var e Event
	switch meta.Type {
	case ContactCreate, ContactUpdate, ContactDelete, ContactTagUpdate, ContactDndUpdate:
		e = &ContactEvent{Envelope: meta}
	case TaskCreate, TaskComplete, TaskDelete:
		e = &TaskEvent{Envelope: meta}
	case NoteCreate, NoteUpdate, NoteDelete:
		e = &NoteEvent{Envelope: meta}
	case AppointmentCreate, AppointmentUpdate, AppointmentDelete:
		e = &AppointmentEvent{Envelope: meta}
		if record := o.get("appointment"); isObject(record) {
			*o = object{fields: o.fields[:0]}
			o.read(record)
			o.readEnvelope(e.Meta())
		}
	case AppInstall:
		e = &InstallEvent{Envelope: meta}
	case AppUninstall:
		e = &UninstallEvent{Envelope: meta}
	default:
		return &UnknownEvent{Envelope: meta}, nil
	}
	if err := e.decode(o); err != nil {
		return nil, ErrUnreadable
	}
	return e, nil
}

func (e *ContactEvent) decode(o *object) error {
	if !fastContact(o, &e.Contact) {
		if err := e.Contact.UnmarshalJSON(o.record()); err != nil {
			return err
		}
	}
	fill(&e.Contact.LocationID, e.LocationID)
	return nil
}

func (e *TaskEvent) decode(o *object) error {
	if !fastTask(o, &e.Task) {
		if err := e.Task.UnmarshalJSON(o.record()); err != nil {
			return err
		}
	}
	if e.Type == TaskComplete && o.get("completed") == nil {
		e.Task.Completed = true
	}
	fill(&e.Task.LocationID, e.LocationID)
	return nil
}

func (e *NoteEvent) decode(o *object) error {
	o.noLocation = true
	if !fastNote(o, &e.Note) {
		return e.Note.UnmarshalJSON(o.record())
	}
	return nil
}

func (e *AppointmentEvent) decode(o *object) error {
	if !fastAppointment(o, &e.Appointment) {
		if err := e.Appointment.UnmarshalJSON(o.record()); err != nil {
			return err
		}
	}
	fill(&e.Appointment.LocationID, e.LocationID)
	return nil
}

func (e *InstallEvent) decode(o *object) error {
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
	return nil
}

func (e *UninstallEvent) decode(o *object) error {
	for _, f := range o.fields {
		if !inEnvelope(f.key) {
			keep(&e.Extra, f)
		}
	}
	return nil
}

func (e *UnknownEvent) decode(*object) error { return nil }

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

// field is one property of a JSON object. Both parts lie in the body.
type field struct{ key, value []byte }

// object is a JSON object by its properties, in their order.
type object struct {
	fields     []field
	flat       bool // the envelope is among the properties
	noLocation bool // of the record, which has no field for it
	source     []byte
}

// read reads the properties of an object; false if the data is no object or no valid JSON.
func (o *object) read(data []byte) bool {
	o.source = data
	s := scanner{data: data}
	if !s.take('{') {
		return false
	}
	if s.take('}') {
		return s.atEnd()
	}
	for {
		key, ok := s.value()
		if !ok || key[0] != '"' || !s.take(':') {
			return false
		}
		value, ok := s.value()
		if !ok {
			return false
		}
		o.fields = append(o.fields, field{unquoted(key), value})
		if s.take('}') {
			return s.atEnd()
		}
		if !s.take(',') {
			return false
		}
	}
}

// get returns the value of a property, the last one if it comes several times; nil if there is none.
func (o *object) get(key string) []byte {
	for i := len(o.fields) - 1; i >= 0; i-- {
		if string(o.fields[i].key) == key {
			return o.fields[i].value
		}
	}
	return nil
}

// text returns a property that is a text or a number; else "".
func (o *object) text(key string) string { return scalar(o.get(key)) }

func (o *object) readEnvelope(meta *Envelope) {
	for _, f := range o.fields {
		var to *string
		switch string(f.key) {
		case "locationId":
			to = &meta.LocationID
		case "companyId":
			to = &meta.CompanyID
		case "appId":
			to = &meta.AppID
		case "versionId":
			to = &meta.VersionID
		case "webhookId":
			to = &meta.WebhookID
		}
		if to != nil && *to == "" {
			*to = scalar(f.value)
		}
	}
	if value := o.get("timestamp"); value != nil && meta.Timestamp.IsZero() {
		_ = meta.Timestamp.UnmarshalJSON(value) // keeps what it cannot read
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
func (o *object) record() []byte {
	if !o.flat {
		return o.source
	}
	b := make([]byte, 0, len(o.source))
	b = append(b, '{')
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
func (o *object) skips(f field) bool {
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
