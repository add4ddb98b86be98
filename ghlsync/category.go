package ghlsync

import "github.com/pluvo/ghl/ghlsync/internal/queue"

// FailureCategory is the kind of the error of a [Failure], an [Attempt] or an [Alert], in words.
type FailureCategory = queue.Category

// The categories of failures and alerts. Their texts are stable.
const (
	// CategoryFailed is the category of all other errors.
	CategoryFailed = queue.CategoryFailed
	// CategoryKilled means that too many processes died while they worked on the unit.
	CategoryKilled = queue.CategoryKilled
	// CategoryTimeout is the category of context.DeadlineExceeded.
	CategoryTimeout = queue.CategoryTimeout
	// CategoryWrongSetting means that a setting of the location is wrong.
	CategoryWrongSetting = queue.CategoryWrongSetting

	// CategoryAmbiguous is the category of [ghl.ErrAmbiguous]: it is unknown whether the operation happened.
	CategoryAmbiguous = queue.CategoryAmbiguous
	// CategoryReauthRequired is the category of [ghl.ErrReauthRequired].
	CategoryReauthRequired = queue.CategoryReauthRequired
	// CategoryMissingScope is the category of [ghl.ErrMissingScope].
	CategoryMissingScope = queue.CategoryMissingScope
	// CategoryUnauthorized is the category of [ghl.ErrUnauthorized].
	CategoryUnauthorized = queue.CategoryUnauthorized
	// CategoryBadInput is the category of [ghl.ErrBadInput].
	CategoryBadInput = queue.CategoryBadInput
	// CategoryValidation is the category of [ghl.ErrValidation].
	CategoryValidation = queue.CategoryValidation
	// CategoryForbidden is the category of [ghl.ErrForbidden].
	CategoryForbidden = queue.CategoryForbidden
	// CategoryDuplicateContact is the category of [ghl.ErrDuplicateContact].
	CategoryDuplicateContact = queue.CategoryDuplicateContact
	// CategorySlotTaken is the category of [ghl.ErrSlotTaken].
	CategorySlotTaken = queue.CategorySlotTaken
	// CategoryNotFound is the category of [ghl.ErrNotFound].
	CategoryNotFound = queue.CategoryNotFound
	// CategoryServer is the category of [ghl.ErrServer].
	CategoryServer = queue.CategoryServer
	// CategoryBadResponse is the category of [ghl.ErrBadResponse].
	CategoryBadResponse = queue.CategoryBadResponse

	// CategoryInvalidRecord is the category of [pluvo.ErrInvalid].
	CategoryInvalidRecord = queue.CategoryInvalidRecord
	// CategoryOriginTaken is the category of [pluvo.ErrOriginTaken].
	CategoryOriginTaken = queue.CategoryOriginTaken
	// CategoryConflict is the category of [pluvo.ErrConflict].
	CategoryConflict = queue.CategoryConflict
	// CategoryNoOwner is the category of [pluvo.ErrNoOwner].
	CategoryNoOwner = queue.CategoryNoOwner
)
