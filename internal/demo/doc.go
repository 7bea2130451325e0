// Package demo shows Fanfare at work, on the real things: a private PostgreSQL, a real Centrifugo,
// a worker wired as the daemon wires it, the HTTP API, a sample service that commits activities
// with its own rows, people who ask the API with JWTs of their own, and their clients, which listen
// on WebSockets with tokens that the API gave them.
//
// What happens is a script of scenes. Each declares who is to hear of it, for which reasons, and
// why the others are not; who really heard is measured on the sockets and in the inbox, and why the
// others did not is found out from what the database holds. Where the three disagree, or the API
// answers otherwise than it should, the demo says so and fails.
//
// The package reads downhill: Run in demo.go, what it starts in stack.go, who there is in world.go,
// what happens in scenes.go and, through the API, in visits.go, how a scene is played and judged in
// stage.go and judge.go, and how it is shown in report.go.
package demo
