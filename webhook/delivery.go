package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
)

// Delivery is a delivery with a valid signature. Only [Verifier.Open], which [Handler] uses too, returns one. The
// consumer of a queue opens a delivery again from its body and header, so that only signed deliveries pass the queue.
type Delivery struct {
	event  Event
	body   []byte
	signed headerSignature
}

// Open verifies a delivery as [Verifier.Verify] does, and then decodes it as [Decode] does. The delivery retains
// body.
func (v *Verifier) Open(body []byte, header http.Header) (*Delivery, error) {
	signed, err := v.verify(body, header)
	if err != nil {
		return nil, err
	}
	return open(body, signed)
}

// open decodes a verified delivery.
func open(body []byte, signed headerSignature) (*Delivery, error) {
	event, err := Decode(body)
	if err != nil {
		return nil, err
	}
	return &Delivery{event: event, body: body, signed: signed}, nil
}

// Event returns the decoded event.
func (d *Delivery) Event() Event { return d.event }

// ID returns the webhookId, which is unique to a delivery and its repetitions. For a delivery without one it returns
// a hash of the body, if there is a timestamp, and otherwise "": equal bodies can then be a repetition, or the same
// change made twice.
func (d *Delivery) ID() string {
	meta := d.event.Meta()
	switch {
	case meta.WebhookID != "":
		return meta.WebhookID
	case meta.Timestamp.Raw() != "":
		sum := sha256.Sum256(d.body)
		return "sha256:" + hex.EncodeToString(sum[:])
	}
	return ""
}

// Body returns the body as received. It must not be modified.
func (d *Delivery) Body() []byte { return d.body }

// Header returns the header with the verified signature, which [Verifier.Open] needs beside the body.
func (d *Delivery) Header() http.Header {
	h := http.Header{}
	h.Set(d.signed.name, d.signed.text)
	return h
}
