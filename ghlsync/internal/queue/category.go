package queue

// Category is the kind of an error, in words that lists, alerts and metrics show. The values are stored in the
// database and are labels of metrics: they must not change.
type Category string

const (
	// CategoryFailed is the category of all other errors.
	CategoryFailed Category = "failed"
	// CategoryWaits is the category of a [WaitError].
	CategoryWaits Category = "waits"
	// CategoryKilled means that too many processes died while they worked on the unit.
	CategoryKilled Category = "killed"
	// CategoryTimeout is the category of context.DeadlineExceeded.
	CategoryTimeout Category = "timeout"
	// CategoryWrongSetting means that a setting of the location is wrong.
	CategoryWrongSetting Category = "wrong setting"

	// CategoryAmbiguous is the category of ghl.ErrAmbiguous: it is unknown whether the operation happened.
	CategoryAmbiguous Category = "outcome unknown"
	// CategoryReauthRequired is the category of ghl.ErrReauthRequired.
	CategoryReauthRequired Category = "authorization needed again"
	// CategoryMissingScope is the category of ghl.ErrMissingScope.
	CategoryMissingScope Category = "missing scope"
	// CategoryUnauthorized is the category of ghl.ErrUnauthorized.
	CategoryUnauthorized Category = "unauthorized"
	// CategoryDailyLimit is the category of ghl.ErrDailyLimit.
	CategoryDailyLimit Category = "daily limit reached"
	// CategoryRateLimited is the category of ghl.ErrRateLimited.
	CategoryRateLimited Category = "rate limited"
	// CategoryBadInput is the category of ghl.ErrBadInput.
	CategoryBadInput Category = "bad input"
	// CategoryValidation is the category of ghl.ErrValidation.
	CategoryValidation Category = "validation failed"
	// CategoryForbidden is the category of ghl.ErrForbidden.
	CategoryForbidden Category = "forbidden"
	// CategoryDuplicateContact is the category of ghl.ErrDuplicateContact.
	CategoryDuplicateContact Category = "duplicate contact"
	// CategorySlotTaken is the category of ghl.ErrSlotTaken.
	CategorySlotTaken Category = "slot taken"
	// CategoryNotFound is the category of ghl.ErrNotFound.
	CategoryNotFound Category = "not found"
	// CategoryServer is the category of ghl.ErrServer.
	CategoryServer Category = "server error"
	// CategoryBadResponse is the category of ghl.ErrBadResponse.
	CategoryBadResponse Category = "bad response"

	// CategoryInvalidRecord is the category of pluvo.ErrInvalid.
	CategoryInvalidRecord Category = "invalid record"
	// CategoryOriginTaken is the category of pluvo.ErrOriginTaken.
	CategoryOriginTaken Category = "origin taken"
	// CategoryConflict is the category of pluvo.ErrConflict.
	CategoryConflict Category = "changed meanwhile"
	// CategoryNoOwner is the category of pluvo.ErrNoOwner.
	CategoryNoOwner Category = "contact missing"
)

// Pauses reports whether an error of the category pauses its location: HighLevel refuses the token, or the token
// lacks a scope.
func (c Category) Pauses() bool { return c.RefusesToken() || c == CategoryMissingScope }

// RefusesToken reports whether HighLevel refuses the token itself.
func (c Category) RefusesToken() bool {
	return c == CategoryReauthRequired || c == CategoryUnauthorized
}
