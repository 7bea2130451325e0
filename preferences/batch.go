package preferences

// A Batch answers for many people at once and matches each distinct pattern
// only once per action, however many people share it. It is quickest when all
// the people of one action are asked about in a row.
//
// It is for one goroutine, and remembers every pattern and action it was asked
// about: make one for each batch of activities and let it go after that.
type Batch struct {
	filter *Filter
	known  map[string]answers // by action

	action  string // the one asked about last
	answers answers
}

// answers tells for each pattern seen whether it matches a certain action.
type answers map[string]bool

// Wants answers as Filter.Wants does.
func (b *Batch) Wants(p Preference, action string) bool {
	if p.Mode != ModeCustom {
		return b.filter.Wants(p, action)
	}
	b.turnTo(action)
	for _, pattern := range p.CustomActions {
		if b.matches(pattern) {
			return true
		}
	}
	return false
}

func (b *Batch) turnTo(action string) {
	if b.answers != nil && b.action == action {
		return
	}
	b.action = action
	b.answers = b.known[action]
	if b.answers == nil {
		b.answers = make(answers)
		b.known[action] = b.answers
	}
}

func (b *Batch) matches(pattern string) bool {
	answer, seen := b.answers[pattern]
	if !seen {
		answer = b.filter.matches(pattern, b.action)
		b.answers[pattern] = answer
	}
	return answer
}
