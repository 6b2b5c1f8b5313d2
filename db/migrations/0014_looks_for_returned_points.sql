-- What a merged account was warned of, its survivor was warned of.
with recursive survivor (workspace, id, stands_for) as (
  select workspace, id, id from account where merged_into is null
  union all
  select a.workspace, a.id, s.stands_for
  from survivor s join account a on a.workspace = s.workspace and a.merged_into = s.id
)
insert into expiry_warning (workspace, account, expires_at, points, warned_at)
select w.workspace, s.stands_for, w.expires_at, w.points, w.warned_at
from expiry_warning w join survivor s on s.workspace = w.workspace and s.id = w.account and s.id <> s.stands_for
on conflict do nothing;
--> statement-breakpoint
-- Accounts with points that came back without their run's knowledge are looked at now: the look finds the rest.
update account a set expiry_wake_at = now()
from program p
where p.workspace = a.workspace and p.id = a.program and a.lots_due_from is not null and exists (
  select from lot l
  where l.workspace = a.workspace and l.account = a.id and l.open and (a.expiry_wake_at is null
    or a.expiry_wake_at > greatest(l.expires_at, case when l.extends_with_activity then a.activity_extends_to end)
    or not l.extends_with_activity and l.expires_at > now()
      and a.expiry_wake_at > greatest(l.expires_at - make_interval(days => p.expiry_warn_days_before), now())
      and not exists (
        select from expiry_warning w
        where w.workspace = l.workspace and w.account = l.account and w.expires_at = l.expires_at)));
