import { explanationTexts } from '@fanfare/elements/notifications/explanation-texts'
import { reasonTexts } from '@fanfare/elements/notifications/reason'
import { type RowTexts, rowTexts } from '@fanfare/elements/notifications/row'
import { stopTexts } from '@fanfare/elements/notifications/stop'
import { merge, type TextOverrides } from './texts.ts'

/** rowTextsOf returns the texts of the rows of an inbox, which are loaded when it is opened first. */
export function rowTextsOf({ row, reason, explanation, stop, severity }: TextOverrides): RowTexts {
  return {
    ...merge({ ...rowTexts, severity: merge(rowTexts.severity, severity) }, row),
    reason: {
      ...merge(reasonTexts, reason),
      explanation: merge(explanationTexts, explanation),
      stop: merge(stopTexts, stop),
    },
  }
}
