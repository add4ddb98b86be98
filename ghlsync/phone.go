package ghlsync

import (
	"github.com/nyaruka/phonenumbers"

	"github.com/pluvo/ghl/mapping"
)

// PhoneNumbers returns a normalizer that converts phone numbers to E.164 by Google's rules for every country
// (github.com/nyaruka/phonenumbers). A number without a country code is read as a number of region, such as "US"; if
// region is "", such a number is not converted. An invalid number or a number with an extension is not converted
// either.
func PhoneNumbers(region string) mapping.PhoneNormalizer {
	return mapping.PhoneNormalizerFunc(func(phone string) (string, bool) {
		number, err := phonenumbers.Parse(phone, region)
		if err != nil || !phonenumbers.IsValidNumber(number) || number.GetExtension() != "" {
			return "", false
		}
		return phonenumbers.Format(number, phonenumbers.E164), true
	})
}

func knownRegion(region string) bool { return phonenumbers.GetSupportedRegions()[region] }
