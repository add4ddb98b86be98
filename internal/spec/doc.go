// Package spec checks the client against the vendor's description of the API. It holds tests only.
package spec
