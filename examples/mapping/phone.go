package main

import (
	"github.com/nyaruka/phonenumbers"

	"github.com/pluvo/ghl/mapping"
)

// phonesOf returns a normaliser that writes phone numbers in E.164. A number without a country code belongs to the
// location's country. The normaliser rejects invalid numbers and numbers with an extension.
func phonesOf(country string) mapping.PhoneNormalizer {
	return mapping.PhoneNormalizerFunc(func(phone string) (string, bool) {
		number, err := phonenumbers.Parse(phone, country)
		if err != nil || !phonenumbers.IsValidNumber(number) || number.GetExtension() != "" {
			return "", false
		}
		return phonenumbers.Format(number, phonenumbers.E164), true
	})
}
