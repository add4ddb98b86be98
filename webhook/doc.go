// Package webhook takes what HighLevel (GHL) delivers: verified, decoded, once.
//
// In development.
package webhook
