// Package demo shows Fanfare with real parts: a private PostgreSQL and Centrifugo, a worker and the
// HTTP API wired as the daemon wires them, a sample application that commits activities with its
// own rows, and people whose clients listen on WebSockets with tokens from the API.
//
// The demo plays a script of scenes. Each scene declares its recipients with their reasons, and
// why the others are not recipients. The acceptance harness compares the declaration with what the
// sockets and the inboxes received; why.go derives the reasons of the others from the database.
// Differences are shown as mismatches and fail the demo.
//
// Read demo.go first, then scenes.go for what happens, world.go for the people, application.go and
// requests.go for what they do, stack.go for what runs, and stage.go and judge.go for how a scene
// is played and judged. The remaining files are output.
package demo
