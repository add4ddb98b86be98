package fault

import (
	"fmt"

	"github.com/pluvo/ghl/ghltest/internal/answer"
)

// Kind is the way in which a request fails. The functions of this package return kinds; the zero value is not valid.
type Kind struct{ effect answer.Effect }

// String returns the name of the kind, as ghltest.Request.Fault reports it.
func (k Kind) String() string { return k.effect.Name }

// AfterWork runs the operation before its answer is replaced: a contact is created, and the answer reports an error.
// AfterWork is only valid for a kind that replaces the answer; ghltest.Server.Fail refuses any other.
func (k Kind) AfterWork() Kind {
	switch {
	case k.effect.Err != nil:
	case !k.effect.Replaces():
		k.effect.Err = fmt.Errorf("AfterWork needs a kind that replaces the answer, not %s", k)
	case k.effect.NotReached:
		k.effect.Err = fmt.Errorf("AfterWork: a request with %s does not reach the operation", k)
	}
	k.effect.AfterWork = true
	return k
}

// Effect returns what the kind does to a request. It is for package ghltest.
func (k Kind) Effect() answer.Effect { return k.effect }

func (k Kind) named(name string) Kind {
	k.effect.Name = name
	return k
}

// refusedIf makes the kind invalid: ghltest.Server.Fail reports the error.
func (k Kind) refusedIf(wrong bool, format string, args ...any) Kind {
	if wrong {
		k.effect.Err = fmt.Errorf(format, args...)
	}
	return k
}

// withBody returns a kind that replaces the answer by a JSON body.
func withBody(name string, status int, body any) Kind {
	text := string(answer.Marshal(body))
	return replaced(name, answer.Reply{Status: status, ContentType: answer.ContentType, Body: text})
}

// withMessage returns a kind that replaces the answer by an error in the usual form.
func withMessage(name string, status int, message any) Kind {
	return withBody(name, status, answer.NewError(status, message))
}

// fromGateway returns a kind that replaces the answer by one of a gateway.
func fromGateway(name string, status int, contentType, body string) Kind {
	return replaced(name, answer.Reply{Status: status, ContentType: contentType, Body: body, Gateway: true})
}

func replaced(name string, reply answer.Reply) Kind {
	return Kind{answer.Effect{Name: name, Reply: &reply}}
}
