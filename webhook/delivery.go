package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
)

// Delivery is a delivery whose signature was found valid: only [Verifier.Open], and with it [Handler], make one. What is
// behind a queue opens it again from its body and header, so that nothing gets in there that HighLevel did not sign.
type Delivery struct {
	event  Event
	body   []byte
	name   string // of the header that decided
	signed string
}

// Open verifies a delivery as [Verifier.Verify] does, and then decodes it as [Decode] does. It keeps body.
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

// Event returns what was delivered.
func (d *Delivery) Event() Event { return d.event }

// ID is the same for each repetition of a delivery, and for no other one: its webhookId. A delivery without one is known by
// its bytes, if it has a timestamp. Without that too the ID is "": equal bytes may then be a repetition, or the same change
// made twice.
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

// Body returns the body as it came. It must not be changed.
func (d *Delivery) Body() []byte { return d.body }

// Header returns what [Verifier.Open] needs beside the body: the one signature that was verified.
func (d *Delivery) Header() http.Header {
	h := http.Header{}
	h.Set(d.name, d.signed)
	return h
}
