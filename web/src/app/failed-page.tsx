import { Button, Text } from '@mantine/core'
import { type ErrorComponentProps, useRouter } from '@tanstack/react-router'
import { ApiError, NetworkError } from 'portcullis-client'
import { useEffect, useState } from 'react'
import { PageHeading } from '@/components/page-heading'
import { texts } from '@/lib/texts'
import { formatWait, useCountdown } from '@/lib/time'
import { StandAlone } from './stand-alone'

const FIRST_WAIT = 2
const LONGEST_WAIT = 30

/** When a page cannot be shown: a missing connection and a busy server are tried again by themselves. */
export function FailedPage({ error }: ErrorComponentProps) {
  if (error instanceof NetworkError) return <RetryPage error={error} words={texts.connection} />
  if (error instanceof ApiError && [429, 503].includes(error.status)) {
    const { busyTitle, busyLead } = texts.connection
    return <RetryPage error={error} words={{ title: busyTitle, lead: busyLead }} />
  }
  return (
    <StandAlone>
      <PageHeading title={texts.broken.title} lead={texts.broken.lead} />
      <Button onClick={() => window.location.reload()}>{texts.broken.reload}</Button>
    </StandAlone>
  )
}

// The page is mounted anew by each failure, so the growing wait lives outside of it.
let failures = 0

function RetryPage({ error, words }: { error: Error; words: { title: string; lead: string } }) {
  const router = useRouter()
  const [retryAt, setRetryAt] = useState<number>()
  const left = useCountdown(retryAt)
  useEffect(() => {
    const asked = error instanceof ApiError ? error.retryAfter : undefined
    const wait = 1000 * (asked ?? Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** failures))
    failures += 1
    setRetryAt(Date.now() + wait)
    const retry = () => void router.invalidate()
    const timer = setTimeout(retry, wait)
    window.addEventListener('online', retry)
    return () => {
      clearTimeout(timer)
      window.removeEventListener('online', retry)
    }
  }, [error, router])
  return (
    <StandAlone>
      <PageHeading title={words.title} lead={words.lead} />
      <Button onClick={() => router.invalidate()}>{texts.connection.retryNow}</Button>
      <Text c="dimmed" size="sm" mt="sm">
        {texts.connection.retrying(formatWait(left))}
      </Text>
    </StandAlone>
  )
}
