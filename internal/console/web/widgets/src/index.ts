export * from '@fanfare/client'
