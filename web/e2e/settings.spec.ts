import { mailedUnsubscribe } from './community-tour'
import { expect, findings, signIn } from './fixtures'
import { callsOf, enlist } from './people'
import { picture, uploadPicture } from './picture'
import { testWithServer } from './server'

const test = testWithServer({})

test('whoever shows their page to followers is asked first, and may decline', async ({
  page: adas,
  newPage,
  request,
}) => {
  test.setTimeout(120_000)
  const [ada, bob] = [await enlist(request), await enlist(request)]
  const bobs = await newPage()
  await signIn(adas, ada)
  await adas.goto('/settings/profile')
  await adas.getByLabel('A few words').fill('I count.')
  await expect(adas.getByText('492 characters left')).toBeVisible()
  await adas.getByRole('button', { name: 'Save' }).click()
  await adas.getByRole('radio', { name: 'Followers' }).check()
  await expect(adas.getByText('Your profile is saved.').last()).toBeVisible()

  await signIn(bobs, bob)
  const ask = async () => {
    await bobs.goto(`/people/${ada.username}`)
    await expect(bobs.getByRole('heading', { name: 'Page not found' })).toBeVisible()
    await bobs.getByRole('button', { name: 'Ask to follow' }).click()
    await expect(bobs.getByText(`${ada.username} has been asked.`)).toBeVisible()
  }
  await ask()
  await adas.goto('/follow-requests')
  await adas.getByRole('button', { name: `Decline the request of ${bob.username}` }).click()
  await expect(adas.getByText('No open requests')).toBeVisible()
  await bobs.reload()
  await expect(bobs.getByRole('heading', { name: 'Page not found' })).toBeVisible()
  await ask()
  await adas.goto('/follow-requests')
  await adas.getByRole('button', { name: `Let ${bob.username} follow you` }).click()
  await expect(adas.getByText('No open requests')).toBeVisible()
  await bobs.reload()
  await expect(bobs.getByText('I count.')).toBeVisible()
  await bobs.getByRole('button', { name: `Stop following ${ada.username}` }).click()
  await expect(bobs.getByRole('heading', { name: 'Page not found' })).toBeVisible()
})

test('every sort of mails is turned off and on, and stays so', async ({ page, request }) => {
  const ada = await enlist(request)
  const calls = await callsOf(request, ada)
  const stored = async () =>
    (await calls<{ notification_preferences: Record<string, boolean> }>('GET', '/api/profile/'))
      .notification_preferences
  await signIn(page, ada)
  await page.goto('/settings/notifications')
  const switches = page.getByRole('switch')
  await expect(switches).toHaveCount(4)
  for (const wanted of [false, true]) {
    for (const toggle of await switches.all()) {
      const answered = page.waitForResponse((response) => response.request().method() === 'PATCH')
      await toggle.press('Space')
      expect((await answered).status()).toBe(200)
    }
    expect(Object.values(await stored())).toEqual([wanted, wanted, wanted, wanted])
    await page.reload()
    await expect(switches).toHaveCount(4)
    for (const toggle of await switches.all()) await expect(toggle).toBeChecked({ checked: wanted })
  }
})

test('the link of a mail turns its sort of mails off after a click', async ({ page, request }) => {
  const [ada, bob] = [await enlist(request), await enlist(request)]
  await (await callsOf(request, bob))('POST', `/api/profiles/${ada.username}/follow/`)
  await page.goto(await mailedUnsubscribe(request, ada.email))
  await expect(page.getByRole('heading', { name: 'Turn mails off?' })).toBeVisible()
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    expect(await findings(page)).toEqual([])
  }
  const calls = await callsOf(request, ada)
  const isOn = async () =>
    (await calls<{ notification_preferences: { new_follower: boolean } }>('GET', '/api/profile/'))
      .notification_preferences.new_follower
  expect(await isOn()).toBe(true)
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'They are off' })).toBeVisible()
  expect(await findings(page)).toEqual([])
  expect(await isOn()).toBe(false)
  await signIn(page, ada)
  await page.goto('/settings/notifications')
  await expect(page.getByRole('switch', { name: 'Somebody follows me' })).not.toBeChecked()
})

test('a picture is sent, replaced and removed, and only one of a fair size is taken', async ({
  page,
  request,
}) => {
  const ada = await enlist(request)
  await signIn(page, ada)
  await page.goto('/settings/profile')
  const choose = (buffer: Buffer) =>
    page.locator('input[type=file]').setInputFiles({ name: 'me.png', mimeType: 'image/png', buffer })
  await choose(Buffer.from('<svg/>'))
  await expect(page.getByText('This is not a JPEG, PNG or WebP picture.')).toBeVisible()
  await choose(Buffer.alloc(5 * 1024 * 1024 + 1, 'x'))
  await expect(page.getByText('The file is too large: at most 5 MB.')).toBeVisible()
  await choose(Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(64)]))
  await expect(page.getByText('The picture cannot be read.')).toBeVisible()
  await choose(await picture(page, 200, 300))
  await expect(page.getByRole('dialog')).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toBeHidden()

  const image = page.locator('main img')
  await uploadPicture(page)
  const first = await image.getAttribute('src')
  await uploadPicture(page)
  await expect(image).not.toHaveAttribute('src', first ?? '')
  expect((await request.get(first ?? '')).status()).toBe(404)
  await page.getByRole('button', { name: 'Remove' }).click()
  await expect(page.getByText('The picture is removed.')).toBeVisible()
  await expect(image).toHaveCount(0)
  const profile = await (await callsOf(request, ada))<{ avatar_url: string | null }>('GET', '/api/profile/')
  expect(profile.avatar_url).toBeNull()
})
