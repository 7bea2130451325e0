package preferences

// Batch reports whether preferences include actions, as its Filter does. It matches each distinct
// pattern once per action, and is fastest with consecutive calls for the same action.
//
// A Batch must not be used concurrently. It keeps every pattern and action: use a new one for each
// batch of activities.
type Batch struct {
	filter   *Filter
	byAction map[string]matches

	action  string // of the last call
	matches matches
}

// matches reports for each pattern whether it matches one action.
type matches map[string]bool

// Includes reports what Filter.Includes reports.
func (b *Batch) Includes(p Preference, action string) bool {
	if p.Mode != ModeCustom {
		return b.filter.Includes(p, action)
	}
	b.selectAction(action)
	for _, pattern := range p.CustomActions {
		if b.matchesPattern(pattern) {
			return true
		}
	}
	return false
}

// selectAction sets action and matches.
func (b *Batch) selectAction(action string) {
	if b.matches != nil && b.action == action {
		return
	}
	b.action = action
	b.matches = b.byAction[action]
	if b.matches == nil {
		b.matches = make(matches)
		b.byAction[action] = b.matches
	}
}

func (b *Batch) matchesPattern(pattern string) bool {
	matched, found := b.matches[pattern]
	if !found {
		matched = b.filter.matches(pattern, b.action)
		b.matches[pattern] = matched
	}
	return matched
}
