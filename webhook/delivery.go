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
	name   string // of the header with the verified signature
	signed string // the value of that header
}

// Open verifies a delivery as [Verifier.Verify] does, and then decodes it as [Decode] does. The delivery retains
// body.
func (v *Verifier) Open(body []byte, header http.Header) (*Delivery, error) {
	if err := v.Verify(body, header); err != nil {
		return nil, err
	}
	event, err := Decode(body)
	if err != nil {
		return nil, err
	}
	d := &Delivery{event: event, body: body, name: SignatureHeader}
	value, found, _ := signatureIn(header, SignatureHeader)
	if !found {
		d.name = LegacySignatureHeader
		value, _, _ = signatureIn(header, LegacySignatureHeader)
	}
	d.signed = value
	return d, nil
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
	h.Set(d.name, d.signed)
	return h
}
