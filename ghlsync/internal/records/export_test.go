package records

const ByOrigin = byOrigin
