import { Button } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import { useState } from 'react'
import { Card } from '@/components/card'
import { ProblemAlert } from '@/components/problem-alert'
import { saveJson } from '@/lib/download'
import { type Problem, toProblem } from '@/lib/problem'
import { siteName } from '@/lib/site'
import { texts } from '@/lib/texts'
import { toast } from '@/lib/toasts'
import { useExport } from '../api/data'
import { useMe } from '../api/me'

/** Everything about the user as a file. */
export function ExportCard() {
  const exportMe = useExport()
  const { data: me } = useMe()
  const [problem, setProblem] = useState<Problem>()
  const run = () => {
    setProblem(undefined)
    exportMe.mutate(undefined, {
      onSuccess: (data) => {
        saveJson(data, texts.data.fileName(siteName, me?.username ?? ''))
        toast(texts.data.exported)
      },
      onError: (error) => setProblem(toProblem(error, [])),
    })
  }
  return (
    <Card
      title={texts.data.export}
      lead={texts.data.exportLead}
      action={
        <Button
          variant="default"
          leftSection={<IconDownload size={18} aria-hidden />}
          loading={exportMe.isPending}
          onClick={run}
        >
          {texts.data.exportSubmit}
        </Button>
      }
    >
      {problem && <ProblemAlert problem={problem} />}
    </Card>
  )
}
