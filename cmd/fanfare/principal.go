package main

import (
	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/activity"
)

// actingAs is the principal that a command acts as.
type actingAs struct{ activity.Principal }

// addFlags adds the flags --tenant and --as.
func (a *actingAs) addFlags(flags *pflag.FlagSet, usage string) {
	flags.SortFlags = false
	flags.Var(&uuidValue{&a.TenantID}, "tenant", "id of the tenant")
	flags.Var(&uuidValue{&a.PrincipalID}, "as", usage)
}

// validate requires both flags.
func (a *actingAs) validate() error {
	if err := requireTenant(a.TenantID); err != nil {
		return err
	}
	if a.PrincipalID == uuid.Nil {
		return &usageError{"--as is required: the id of the principal"}
	}
	return nil
}

// completeFlag makes the shell complete the values of a flag.
func completeFlag(command *cobra.Command, flag string, values ...string) {
	err := command.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic("complete --" + flag + ": " + err.Error()) // the command has no such flag
	}
}
