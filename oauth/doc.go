// Package oauth connects HighLevel accounts to a marketplace app, stores their tokens and renews them.
//
// An [App] makes the URL of the consent screen, exchanges the code that comes back for a token, and returns token
// sources that renew a stored token by themselves. [Installations] does all of that for an app with many accounts
// and returns a [ghl.Client] for each location.
//
// HighLevel's refresh tokens work once. A new token is therefore saved in a [Store] before any caller gets it: in
// memory ([NewMemoryStore]), in files ([NewFileStore]), or in a database of your own ([Update], [KeyLocks], [Save]
// and [KeyRing] are what such a store is made of; package [github.com/pluvo/ghl/oauth/storetest] checks it).
package oauth
