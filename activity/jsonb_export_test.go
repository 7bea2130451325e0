package activity

// Normal is normal.
var Normal = normal
