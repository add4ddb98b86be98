package ghlsync

import (
	"github.com/nyaruka/phonenumbers"

	"github.com/pluvo/ghl/mapping"
)

// PhoneNumbers places phone numbers by Google's rules for every country (github.com/nyaruka/phonenumbers). Region is the country
// whose numbers may lack their country code, such as "US"; "" places only those that have one. What is no valid number is left
// as it is.
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
