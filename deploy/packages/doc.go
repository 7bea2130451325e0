// Package packages tests what a release contains: archives, packages for Debian and Red Hat, the
// image, the Helm chart, the units of systemd and the files for Docker Compose. The tests read what
// make packages has built into dist, and install and start it. This folder is a Go module of its
// own, so that the dependencies of the tests do not become dependencies of Fanfare; .ci/release
// pins the programs that build a release.
package packages
