package preferences_test

import (
	"fmt"

	"github.com/fanfarehq/fanfare/preferences"
)

func ExampleFilter() {
	filter := preferences.NewFilter(nil)
	batch := filter.Batch()

	unset := preferences.Preference{}
	custom := preferences.Preference{
		Mode:          preferences.ModeCustom,
		CustomActions: []string{"signal.*", "*.deleted"},
	}
	for _, action := range []string{"resource.created", "signal.viewed", "resource.deleted"} {
		fmt.Println(action, batch.Includes(unset, action), batch.Includes(custom, action))
	}
	// Output:
	// resource.created true false
	// signal.viewed false true
	// resource.deleted true true
}

func ExampleCompile() {
	p, err := preferences.Compile("signal.[!v]*")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Match("signal.created"), p.Match("signal.viewed"))

	_, err = preferences.Compile("signal.\xff")
	fmt.Println(err)
	// Output:
	// true false
	// pattern "signal.\xff" is not valid UTF-8
}
