package packages_test

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const chart = "../helm/fanfare"

// everything switches on what is off by default.
var everything = []string{
	"--set", "networkPolicy.enabled=true", "--set", "worker.autoscaling.enabled=true",
	"--set", "server.autoscaling.enabled=true", "--set", "server.ingress.enabled=true",
	"--set", "server.ingress.tlsSecret=tls", "--set", "server.ingress.className=nginx",
	"--set", "image.digest=sha256:" + strings.Repeat("0", 64), "--set", "imagePullSecrets[0].name=registry",
	"--set", "worker.nodeSelector.disk=ssd", "--set", "serviceAccount.annotations.a=b",
	"--set-json", `networkPolicy.metricsFrom=[{"namespaceSelector":{"matchLabels":{"a":"b"}}}]`,
	"--set-json", `networkPolicy.ingressFrom=[{"podSelector":{"matchLabels":{"a":"b"}}}]`,
}

// variants are values with which the chart is rendered.
var variants = map[string][]string{
	"default": nil, "everything": everything, "cells": {"--set", "cells.secretKey=cells.yaml"},
}

func render(t *testing.T, values ...string) string {
	t.Helper()
	return output(t, "helm", append([]string{"template", "production", chart}, values...)...)
}

// TestChart lints the chart and validates what it renders by the schemas of Kubernetes, of the
// oldest version that the chart permits and of a recent one.
func TestChart(t *testing.T) {
	t.Parallel()
	for name, values := range variants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			output(t, "helm", append([]string{"lint", "--strict", chart}, values...)...)
			manifests := render(t, values...)
			file := filepath.Join(t.TempDir(), "manifests.yaml")
			if err := os.WriteFile(file, []byte(manifests), 0o600); err != nil {
				t.Fatal(err)
			}
			count := strings.Count("\n"+manifests, "\nkind: ")
			for _, version := range []string{"1.25", "1.37"} {
				validated := output(t, "python3", "-m", "kubernetes_validate", "--strict",
					"--kubernetes-version", version, file)
				if passed := strings.Count(validated, " passed for resource "); passed != count {
					t.Errorf("Kubernetes %s: %d of %d manifests are valid:\n%s", version, passed, count, validated)
				}
			}
		})
	}
}

// object is a rendered manifest.
type object struct {
	Kind     string
	Metadata struct{ Name string }
	Spec     struct {
		Template struct{ Spec podSpec }
	}
}

type podSpec struct {
	AutomountServiceAccountToken *bool `yaml:"automountServiceAccountToken"`
	SecurityContext              struct {
		RunAsNonRoot bool `yaml:"runAsNonRoot"`
	} `yaml:"securityContext"`
	Containers []struct {
		Args []string
		Env  []struct {
			Name, Value string
			ValueFrom   *struct {
				SecretKeyRef struct{ Name, Key string } `yaml:"secretKeyRef"`
			} `yaml:"valueFrom"`
		}
		SecurityContext struct {
			ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
			AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
		} `yaml:"securityContext"`
		VolumeMounts []mount `yaml:"volumeMounts"`
	}
}

type mount struct {
	Name      string
	MountPath string `yaml:"mountPath"`
	ReadOnly  bool   `yaml:"readOnly"`
}

func objects(t *testing.T, manifests string) (all []object) {
	t.Helper()
	for decoder := yaml.NewDecoder(bytes.NewBufferString(manifests)); ; {
		var o object
		if err := decoder.Decode(&o); err != nil {
			if err.Error() == "EOF" {
				return all
			}
			t.Fatal(err)
		}
		if o.Kind != "" {
			all = append(all, o)
		}
	}
}

// TestChartIsSafe verifies what every workload of the chart has: no privilege, no writable root, no
// token of the cluster, and secrets only by reference.
func TestChartIsSafe(t *testing.T) {
	t.Parallel()
	workloads := 0
	for _, o := range objects(t, render(t, everything...)) {
		if o.Kind != "Deployment" && o.Kind != "Job" {
			continue
		}
		workloads++
		pod := o.Spec.Template.Spec
		if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken {
			t.Errorf("%s has a token of the cluster", o.Metadata.Name)
		}
		if !pod.SecurityContext.RunAsNonRoot {
			t.Errorf("%s may run as root", o.Metadata.Name)
		}
		for _, c := range pod.Containers {
			s := c.SecurityContext
			if !s.ReadOnlyRootFilesystem || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation {
				t.Errorf("%s: the container has %+v", o.Metadata.Name, s)
			}
			referred := false
			for _, variable := range c.Env {
				switch variable.Name {
				case "FANFARE_DATABASE_URL", "FANFARE_CENTRIFUGO_API_KEY", "FANFARE_CENTRIFUGO_TOKEN_SECRET":
					referred = true
					from := variable.ValueFrom
					if variable.Value != "" || from == nil || from.SecretKeyRef.Name != "fanfare" {
						t.Errorf("%s: %s is no reference to the Secret", o.Metadata.Name, variable.Name)
					}
				}
			}
			if !referred {
				t.Errorf("%s has no database", o.Metadata.Name)
			}
		}
	}
	if workloads != 3 {
		t.Errorf("got %d workloads, want the worker, the server and the migration", workloads)
	}
}

// TestChartOfCells verifies that each workload reads the file of the cells, and no other database.
func TestChartOfCells(t *testing.T) {
	t.Parallel()
	manifests := render(t, variants["cells"]...)
	for _, o := range objects(t, manifests) {
		if o.Kind != "Deployment" && o.Kind != "Job" {
			continue
		}
		for _, c := range o.Spec.Template.Spec.Containers {
			file := ""
			for _, variable := range c.Env {
				switch variable.Name {
				case "FANFARE_CELLS":
					file = variable.Value
				case "FANFARE_DATABASE_URL":
					t.Errorf("%s has another database", o.Metadata.Name)
				}
			}
			mounted := slices.ContainsFunc(c.VolumeMounts, func(m mount) bool {
				return path.Dir(file) == m.MountPath && m.ReadOnly && m.Name == "cells"
			})
			if !mounted {
				t.Errorf("%s: %q is not in %+v", o.Metadata.Name, file, c.VolumeMounts)
			}
		}
	}
	if got := strings.Count(manifests, "secretName: fanfare, items: [{key: cells.yaml, path: cells.yaml}]"); got != 4 {
		t.Errorf("got %d volumes of the file, want those of the worker, the server, the migration and the test", got)
	}
}

// TestChartRefuses verifies that invalid values name what is wrong.
func TestChartRefuses(t *testing.T) {
	t.Parallel()
	for value, name := range map[string]string{
		"worker.replicas=many":                 "replicas",
		"workers.replicas=3":                   "workers",
		"settings.FANFARE_WORKERS=8":           "FANFARE_WORKERS",
		"settings.DATABASE_URL=postgres://u:p": "DATABASE_URL",
		"image.digest=latest":                  "digest",
		"server.service.type=External":         "type",
	} {
		if text := refused(t, "helm", "template", "production", chart, "--set", value); !strings.Contains(text, name) {
			t.Errorf("%s: the error does not name %s:\n%s", value, name, text)
		}
	}
}
