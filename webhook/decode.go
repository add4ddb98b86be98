package webhook

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"sync"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/internal/lenient"
)

// ErrUnreadable is the error for a body that is not a JSON object with a type.
var ErrUnreadable = errors.New("webhook: the body is not an event")

// Decode reads an event. The record is at the top level or under "data", that of an appointment also under
// "appointment". Missing properties, odd values and unknown properties never fail an event: values without a field
// are in the Extra of the record, and properties beside a nested record that do not belong to the envelope are only
// in Raw. The error is [ErrUnreadable]. The event retains body, in Raw.
//
// Decode does not verify the signature: use [Verifier.Open] for deliveries from outside.
func Decode(body []byte) (Event, error) {
	buffer := buffers.Get().(*bytes.Buffer)
	defer release(buffer)
	o, ok := readObject(body, buffer)
	meta := Envelope{Type: Type(text(o.kind)), Raw: body}
	if !ok || meta.Type == "" {
		return nil, ErrUnreadable
	}
	meta.fill(&o.envelope)
	if lenient.IsObject(o.data) && text(o.id) == "" {
		o, _ = readObject(o.data, nil)
		meta.fill(&o.envelope)
	}
	event, err := o.event(meta)
	if err != nil {
		return nil, ErrUnreadable
	}
	return event, nil
}

// event reads the record, which is the object itself or, of an appointment, possibly under "appointment".
func (o object) event(meta Envelope) (Event, error) {
	switch meta.Type {
	case ContactCreate, ContactUpdate, ContactDelete, ContactTagUpdate, ContactDndUpdate:
		e := &ContactEvent{Envelope: meta}
		err := o.readRecord(&e.Contact)
		e.Contact.LocationID = cmp.Or(e.Contact.LocationID, meta.LocationID)
		return e, err
	case TaskCreate, TaskComplete, TaskDelete:
		e := &TaskEvent{Envelope: meta}
		err := o.readRecord(&e.Task)
		if e.Type == TaskComplete && (o.completed == nil || string(o.completed) == "null") {
			e.Task.Completed = true
		}
		e.Task.LocationID = cmp.Or(e.Task.LocationID, meta.LocationID)
		return e, err
	case NoteCreate, NoteUpdate, NoteDelete:
		e := &NoteEvent{Envelope: meta}
		o.locationID = nil // a note has none
		return e, o.readRecord(&e.Note)
	case AppointmentCreate, AppointmentUpdate, AppointmentDelete:
		if lenient.IsObject(o.appointment) {
			o, _ = readObject(o.appointment, nil)
			meta.fill(&o.envelope)
		}
		e := &AppointmentEvent{Envelope: meta}
		err := o.readRecord(&e.Appointment)
		e.Appointment.LocationID = cmp.Or(e.Appointment.LocationID, meta.LocationID)
		return e, err
	case AppInstall:
		e := &InstallEvent{Envelope: meta}
		return e, lenient.EachField(o.json, e.read)
	case AppUninstall:
		e := &UninstallEvent{Envelope: meta}
		return e, lenient.EachField(o.json, e.read)
	}
	return &UnknownEvent{Envelope: meta}, nil
}

// read reads one property. A value of another type than its field's is stored in Extra.
func (e *InstallEvent) read(key, value []byte) error {
	var field any
	switch string(key) {
	case "userId":
		field = &e.UserID
	case "planId":
		field = &e.PlanID
	case "companyName":
		field = &e.CompanyName
	case "installType":
		field = &e.InstallType
	case "isWhitelabelCompany":
		field = &e.IsWhitelabelCompany
	case "whitelabelDetails":
		field = &e.WhitelabelDetails
	case "trial":
		field = &e.Trial
	}
	if field == nil && !isEnvelope(key) || field != nil && json.Unmarshal(value, field) != nil {
		store(&e.Extra, key, value)
	}
	return nil
}

func (e *UninstallEvent) read(key, value []byte) error {
	if !isEnvelope(key) {
		store(&e.Extra, key, value)
	}
	return nil
}

func store(extra *ghl.Extra, key, value []byte) {
	if *extra == nil {
		*extra = ghl.Extra{}
	}
	(*extra)[string(key)] = bytes.Clone(value)
}

// object is a JSON object that has the envelope, the record or both as its properties.
type object struct {
	json []byte
	// Values of properties, nil if missing.
	kind, id, locationID, data, appointment, completed []byte

	envelope Envelope
	// record is the object without the properties of the envelope, with a comma after each property and not closed;
	// nil if all properties belong to the record.
	record *bytes.Buffer
}

// readObject returns false if data is not a valid JSON object. With a buffer, the properties of the envelope do not
// belong to the record: the type is one of them, although a contact has a type too. Of a property that comes several
// times the last one counts.
func readObject(data []byte, buffer *bytes.Buffer) (o object, ok bool) {
	o.json, o.record = data, buffer
	if buffer != nil {
		buffer.WriteByte('{')
	}
	err := lenient.EachProperty(data, func(key, value, property []byte) error {
		if !o.readEnvelope(key, value) && buffer != nil {
			buffer.Write(property)
			buffer.WriteByte(',')
		}
		switch string(key) {
		case "id":
			o.id = value
		case "data":
			o.data = value
		case "appointment":
			o.appointment = value
		case "completed":
			o.completed = value
		}
		return nil
	})
	return o, err == nil
}

// readEnvelope returns false if the property does not belong to the envelope.
func (o *object) readEnvelope(key, value []byte) bool {
	switch string(key) {
	case "type":
		o.kind = value
	case "locationId":
		o.locationID, o.envelope.LocationID = value, text(value)
	case "companyId":
		o.envelope.CompanyID = text(value)
	case "appId":
		o.envelope.AppID = text(value)
	case "versionId":
		o.envelope.VersionID = text(value)
	case "webhookId":
		o.envelope.WebhookID = text(value)
	case "timestamp":
		_ = o.envelope.Timestamp.UnmarshalJSON(value) // never fails
	default:
		return false
	}
	return true
}

// fill sets the fields that are still empty.
func (e *Envelope) fill(from *Envelope) {
	e.LocationID = cmp.Or(e.LocationID, from.LocationID)
	e.CompanyID = cmp.Or(e.CompanyID, from.CompanyID)
	e.AppID = cmp.Or(e.AppID, from.AppID)
	e.VersionID = cmp.Or(e.VersionID, from.VersionID)
	e.WebhookID = cmp.Or(e.WebhookID, from.WebhookID)
	if e.Timestamp.IsZero() && (e.Timestamp.Raw() == "" || !from.Timestamp.IsZero()) {
		e.Timestamp = from.Timestamp
	}
}

func isEnvelope(key []byte) bool { return new(object).readEnvelope(key, nil) }

// readRecord reads the object into a model. The locationId belongs to the record and to the envelope.
func (o object) readRecord(model json.Unmarshaler) error {
	if o.record == nil {
		return model.UnmarshalJSON(o.json)
	}
	if o.locationID != nil {
		o.record.WriteString(`"locationId":`)
		o.record.Write(o.locationID)
		o.record.WriteByte(',')
	}
	record := o.record.Bytes()
	if last := len(record) - 1; record[last] == ',' {
		record = record[:last]
	}
	return model.UnmarshalJSON(append(record, '}'))
}

// buffers are reused: a decoded record has copies of its values.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func release(buffer *bytes.Buffer) {
	const largest = 64 << 10
	if buffer.Cap() <= largest {
		buffer.Reset()
		buffers.Put(buffer)
	}
}

// text returns a JSON string's text, or a number as it is written; "" for any other value.
func text(value []byte) string {
	if len(value) == 0 || value[0] != '"' && value[0] != '-' && (value[0] < '0' || value[0] > '9') {
		return ""
	}
	text, _ := lenient.Scalar(value)
	return text
}
