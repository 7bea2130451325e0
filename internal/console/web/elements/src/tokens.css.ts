import { unsafeCSS } from 'lit'
import text from './tokens.css?inline'

/** The tokens for the shadow root of a widget. The console has them on its document. */
export const tokens = unsafeCSS(text)
