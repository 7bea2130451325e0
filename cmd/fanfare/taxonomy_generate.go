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
	"github.com/fanfarehq/fanfare/activity/taxonomy/research"
)

func newTaxonomyGenerateCommand(p process) *cobra.Command {
	var (
		name, directory string
		types           []string
		o               generate.Options
	)
	command := &cobra.Command{
		Use:   "generate <file>",
		Short: "Generate Go types for the actions of a file",
		Long: `Generate a Go package with, for every action, a type for the payload, a constant for the name and a
method that returns an envelope:

  e := actions.ProjectCreated{Name: "Apollo"}.On(tenant, project)

The package has one file for each category. Generated files that are no longer needed are removed;
other files in the directory do not change. The same taxonomy generates the same files, so a build
can check that committed files are up to date.

The family of an action is the first word of its name. It is the resource type of its envelopes,
unless --resource-type specifies another.`,
		Example: `  fanfare taxonomy generate taxonomy.yaml --output internal/actions
  fanfare taxonomy generate taxonomy.yaml --resource-type auth=user`,
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
	flags := command.Flags()
	flags.StringVar(&o.Package, "package", "actions", "name of the package")
	flags.StringVar(&directory, "output", "", "directory to write to (default: the name of the package)")
	flags.StringArrayVar(&types, "resource-type", nil, "resource type of a family, such as auth=user; may be repeated")
	return command
}

// resourceTypes parses values of the form family=type.
func resourceTypes(values []string) (map[string]string, error) {
	types := map[string]string{}
	for _, value := range values {
		family, resourceType, ok := strings.Cut(value, "=")
		if !ok || family == "" || resourceType == "" || types[family] != "" {
			return nil, &usageError{
				fmt.Sprintf("--resource-type %q must have the form family=type, once for each family", value),
			}
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
		fmt.Fprintf(w, "%s: %s, up to date\n", directory, counted(len(files), "file"))
	}
	return err
}

func newTaxonomyDefaultCommand(p process) *cobra.Command {
	return &cobra.Command{
		Use:   "default",
		Short: "Print the default taxonomy",
		Long: `Print the file of the default taxonomy: the actions that most applications have. Use it as the
beginning of your own file.`,
		Example: `  fanfare taxonomy default > taxonomy.yaml`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := io.WriteString(p.stdout, taxonomy.DefaultFile)
			return err
		},
	}
}

func newTaxonomyExampleCommand(p process) *cobra.Command {
	return &cobra.Command{
		Use:   "example research",
		Short: "Print the taxonomy of an example application",
		Long: `Print the file of an example application's taxonomy. The only example is research, a platform for
quantitative research; docs/instrumenting/research documents its actions.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] != "research" {
				return &usageError{"exactly one argument is required: research"}
			}
			return nil
		},
		ValidArgs: []string{"research"},
		RunE: func(*cobra.Command, []string) error {
			_, err := io.WriteString(p.stdout, research.File)
			return err
		},
	}
}
