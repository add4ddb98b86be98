// Package examples holds programs that show how the SDK is used, each in a folder of its own. Begin with quickstart:
//
//	go run ./examples/quickstart      contacts, and one of them with its tasks, notes and appointments
//	go run ./examples/webhook         webhooks, as they are verified, handled once, and their records read again
//	go run ./examples/mapping         a contact from HighLevel to Pluvo and back by a rule file, field by field
//	go run ./examples/opentelemetry   a span for each request, named by its operation
//	go run ./examples/prometheus      a counter of requests by operation and status
//
// They need no account: they talk to a HighLevel API that runs inside the program. The quickstart also reads a real
// location. They are a module of their own, so that what they depend on stays out of the SDK.
package examples
