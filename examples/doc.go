// Package examples holds programs that show how the SDK is used, each in a folder of its own. Begin with quickstart:
//
//	go run ./examples/quickstart
package examples
