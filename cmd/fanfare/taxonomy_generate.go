package main

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/activity/taxonomy/generate"
)

func newTaxonomyGenerateCommand(p process) *cobra.Command {
	var (
		name, directory string
		types           []string
		o               generate.Options
	)
	command := &cobra.Command{
		Use:   "generate <file>",
		Short: "Write Go types for the actions of a file",
		Long: `Writes a Go package with a type for the payload of every action, a constant for its name, and a method that makes its
envelope:

  e := actions.SignalValidated{Passed: true}.On(tenant, signal)

There is one file for each family, which is the first word of its actions. What was generated into the directory
before and is not in the taxonomy any more is removed; files that somebody wrote are left alone. The same taxonomy
gives the same files, so that they can be committed and checked.

An envelope's resource type is the family's name, unless --resource-type names another.`,
		RunE: func(*cobra.Command, []string) error {
			var err error
			if o.ResourceTypes, err = resourceTypes(types); err != nil {
				return err
			}
			parsed, err := readTaxonomy(p, name)
			if err != nil {
				return err
			}
			files, err := generate.Files(parsed.Actions(), o)
			if err != nil {
				return err
			}
			return writeGenerated(p.stdout, cmp.Or(directory, o.Package), files)
		},
	}
	fileArgument(command, &name)
	command.Flags().StringVar(&o.Package, "package", "actions", "the package's name")
	command.Flags().
		StringVar(&directory, "output", "", "the directory to write to (default: one of the package's name)")
	command.Flags().
		StringArrayVar(&types, "resource-type", nil, "what a family's actions are about, as in auth=user; may be repeated")
	return command
}

// resourceTypes reads family=type.
func resourceTypes(given []string) (map[string]string, error) {
	types := map[string]string{}
	for _, text := range given {
		family, resourceType, ok := strings.Cut(text, "=")
		if !ok || family == "" || resourceType == "" || types[family] != "" {
			return nil, &usageError{fmt.Sprintf("--resource-type %q must read family=type, once for a family", text)}
		}
		types[family] = resourceType
	}
	return types, nil
}

func writeGenerated(w io.Writer, directory string, files []generate.File) error {
	written, removed, err := generate.Write(directory, files)
	for _, name := range written {
		fmt.Fprintf(w, "wrote    %s\n", filepath.Join(directory, name))
	}
	for _, name := range removed {
		fmt.Fprintf(w, "removed  %s\n", filepath.Join(directory, name))
	}
	if err == nil && len(written)+len(removed) == 0 {
		fmt.Fprintf(w, "%s: all %s are as they should be\n", directory, countOf(len(files), "file"))
	}
	return err
}

func newTaxonomyDefaultCommand(p process) *cobra.Command {
	return &cobra.Command{
		Use:   "default",
		Short: "Write the taxonomy that comes with Fanfare",
		Long: `Writes the file of the taxonomy that comes with Fanfare, to begin one's own with:

  fanfare taxonomy default > taxonomy.yaml`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := io.WriteString(p.stdout, taxonomy.ShippedFile)
			return err
		},
	}
}
