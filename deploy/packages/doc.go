// Package packages tests what a release contains: archives, packages for Debian and Red Hat, the
// image, the Helm chart, the units of systemd and the files for Docker Compose. The tests read what
// make packages has built into dist, and install and start it. This folder is a Go module of its
// own, which pins the programs that build a release, so that their dependencies do not become
// dependencies of Fanfare.
package packages
