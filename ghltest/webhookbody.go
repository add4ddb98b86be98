package ghltest

import (
	"bytes"
	"cmp"
	"encoding/json"

	"github.com/pluvo/ghl/ghltest/internal/answer"
)

// body returns the body of an event in the form that the subscriber asked for, as JavaScript writes it: HighLevel's
// server is written in JavaScript, and the vendor's middleware verifies a body that it has parsed and written again.
func (s *subscriber) body(h *hooks, c change, record []byte, webhookID string) []byte {
	kind := c.kind
	if s.mistyped && (kind == AppointmentUpdate || kind == AppointmentDelete) {
		kind = AppointmentCreate
	}
	if s.bareTasks && kind == TaskCreate {
		record = withoutProperties(record, "body", "contactId")
	}
	appID, versionID := cmp.Or(c.appID, s.appID, h.appID), cmp.Or(s.versionID, h.versionID)
	var b bytes.Buffer
	b.WriteString(`{"type":` + quote(string(kind)))
	for _, p := range [...][2]string{{"locationId", c.locationID}, {"versionId", versionID}, {"appId", appID}} {
		if p[1] != "" {
			b.WriteString(`,"` + p[0] + `":` + quote(p[1]))
		}
	}
	appointment := kind == AppointmentCreate || kind == AppointmentUpdate || kind == AppointmentDelete
	switch {
	case s.nested:
		b.WriteString(`,"data":` + string(record))
	case appointment && !s.flat:
		b.WriteString(`,"appointment":` + string(record))
	case len(record) > 2:
		b.WriteString("," + string(record[1:len(record)-1]))
	}
	at := c.at.UTC().Format("2006-01-02T15:04:05.000Z")
	b.WriteString(`,"timestamp":"` + at + `","webhookId":"` + webhookID + `"}`)
	text, err := answer.Stringify(b.Bytes())
	if err != nil { // records are encoded by encoding/json, so only a bug of the fake gets here
		panic("ghltest: " + err.Error())
	}
	return text
}

func quote(text string) string { return string(answer.Marshal(text)) }

func withoutProperties(object []byte, names ...string) []byte {
	all := map[string]json.RawMessage{}
	if json.Unmarshal(object, &all) != nil {
		return object
	}
	for _, name := range names {
		delete(all, name)
	}
	return answer.Marshal(all)
}
