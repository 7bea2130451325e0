// What browser tests are written with; test/README.md shows how.
export {
  application,
  type ApplicationOptions,
  type ApplicationPage,
  openApplication,
  setToken,
  showAgain,
} from './application.ts'
export { axe } from './axe.ts'
export { openLine, type Line } from './line.ts'
export { forEachLook, screenshot, themes, widths, type Look, type Theme } from './looks.ts'
export { frames, memory, timeTo, type Frames, type Memory } from './probes.ts'
export { signIn } from './sign_in.ts'
export { cut, restore } from './socket.ts'
export { sql, stage, switchCentrifugo } from './stage.ts'
export { browserTest, type PageOptions, type Scene } from './test.ts'
export { newWorld, World, type Activity, type Person, type Resource, type WorldOptions } from './world.ts'
