// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VF token: a secret between whoever drives a PF from user space and
 * whoever drives its VFs.
 *
 * The driver of a PF can look into its VFs and take them away. A PF in user
 * space is therefore only as trustworthy as the program behind it, and a VF is
 * opened only by those who show that they know that program: both name the same
 * UUID. It is random when the PF is bound; whoever opens the PF while no VF is
 * in use may replace it.
 */
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/uuid.h>

#include <trace/events/vfio_pci.h>

#include "priv.h"

/**
 * struct vfio_pci_vf_token - the secret of one PF
 * @lock: a leaf; held while the secret is compared or changed
 * @uuid: the secret; never logged
 * @users: VFs that are open on the strength of it
 */
struct vfio_pci_vf_token {
	/* guards the rest */
	struct mutex	lock;
	uuid_t		uuid;
	unsigned int	users;
};

struct vfio_pci_vf_token *vfio_pci_token_alloc(void)
{
	struct vfio_pci_vf_token *token;

	token = kzalloc(sizeof(*token), GFP_KERNEL);
	if (!token)
		return NULL;

	mutex_init(&token->lock);
	uuid_gen(&token->uuid);
	return token;
}

void vfio_pci_token_free(struct vfio_pci_vf_token *token)
{
	if (!token)
		return;

	WARN_ON_ONCE(token->users);
	mutex_destroy(&token->lock);
	kfree_sensitive(token);
}

void vfio_pci_token_set(struct vfio_pci_vf_token *token, const uuid_t *uuid)
{
	guard(mutex)(&token->lock);
	uuid_copy(&token->uuid, uuid);
}

void vfio_pci_token_get_user(struct vfio_pci_vf_token *token)
{
	guard(mutex)(&token->lock);
	token->users++;
}

void vfio_pci_token_put_user(struct vfio_pci_vf_token *token)
{
	guard(mutex)(&token->lock);
	WARN_ON_ONCE(!token->users);
	token->users--;
}

/* VFIO_DEVICE_FEATURE_PCI_VF_TOKEN: the opener of a PF names a new secret */
int vfio_pci_token_feature(struct vfio_pci_core_device *vdev,
			   void __user *arg, size_t argsz)
{
	uuid_t uuid;

	if (copy_from_user(&uuid, arg, sizeof(uuid)))
		return -EFAULT;

	vfio_pci_token_set(vdev->priv->vf_token, &uuid);
	return 0;
}

/* A VF is opened with the secret of its PF, and with none if it has none */
static int match_vf(struct vfio_pci_core_device *vdev, const uuid_t *uuid)
{
	struct vfio_pci_core_device *pf = vdev->priv->pf;
	struct vfio_pci_vf_token *token;

	if (!pf && uuid)
		return vfio_pci_refuse(vdev, -EINVAL,
				       "VF token given, but the PF is not in user space: open it without");
	if (!pf)
		return 0;
	if (!uuid)
		return vfio_pci_refuse(vdev, -EACCES,
				       "VF token needed: the PF %s is in user space",
				       pci_name(pf->pdev));

	token = pf->priv->vf_token;
	guard(mutex)(&token->lock);
	if (!uuid_equal(uuid, &token->uuid))
		return vfio_pci_refuse(vdev, -EACCES,
				       "VF token is not that of the PF %s",
				       pci_name(pf->pdev));
	return 0;
}

/*
 * While VFs are in use only those who know their secret get at the PF. With
 * none in use, the opener may choose the secret.
 */
static int match_pf(struct vfio_pci_core_device *vdev, const uuid_t *uuid)
{
	struct vfio_pci_vf_token *token = vdev->priv->vf_token;

	guard(mutex)(&token->lock);
	if (!token->users) {
		if (uuid)
			uuid_copy(&token->uuid, uuid);
		return 0;
	}
	if (!uuid)
		return vfio_pci_refuse(vdev, -EACCES,
				       "VF token needed while VFs are in use (%u)",
				       token->users);
	if (!uuid_equal(uuid, &token->uuid))
		return vfio_pci_refuse(vdev, -EACCES,
				       "VF token is not the one of the VFs in use (%u)",
				       token->users);
	return 0;
}

static int match_uuid(struct vfio_pci_core_device *vdev, const uuid_t *uuid)
{
	if (vdev->pdev->is_virtfn)
		return match_vf(vdev, uuid);
	if (vdev->priv->vf_token)
		return match_pf(vdev, uuid);
	if (uuid)
		return vfio_pci_refuse(vdev, -EINVAL,
				       "VF token given, but the function has no SR-IOV: open it without");
	return 0;
}

/**
 * vfio_pci_core_match_token_uuid() - may whoever names this token open a device
 * @core_vdev: the device
 * @uuid: the VF token that was given, NULL if none
 *
 * For a PF none of whose VFs is in use, a token that is given becomes the PF's.
 *
 * Context: Process context; may sleep.
 * Return:
 * * 0 - yes
 * * -EACCES - a token is needed and is missing or wrong
 * * -EINVAL - a token was given, but the device has no use for one
 */
int vfio_pci_core_match_token_uuid(struct vfio_device *core_vdev,
				   const uuid_t *uuid)
{
	struct vfio_pci_core_device *vdev = to_vfio_pci(core_vdev);
	int ret = match_uuid(vdev, uuid);

	trace_vfio_pci_vf_token(vdev->pdev, uuid, ret);
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_match_token_uuid);

/**
 * struct match_args - what follows the address in a device's name
 * @token: the VF token
 * @has_token: it was given
 */
struct match_args {
	uuid_t	token;
	bool	has_token;
};

/* @opt is one word of @len characters */
static int parse_option(struct match_args *args, const char *opt, size_t len)
{
	static const char key[] = "vf_token=";
	const size_t key_len = sizeof(key) - 1;

	if (len != key_len + UUID_STRING_LEN || strncmp(opt, key, key_len))
		return -EINVAL;
	if (args->has_token)
		return -EINVAL;

	args->has_token = true;
	return uuid_parse(opt + key_len, &args->token);
}

/* The text belongs to vfio.ko, which shows it to other devices too: only read */
static int parse_options(struct match_args *args, const char *text)
{
	size_t len;
	int ret;

	for (;;) {
		text += strspn(text, " ");
		len = strcspn(text, " ");
		if (!len)
			return 0;

		ret = parse_option(args, text, len);
		if (ret)
			return ret;
		text += len;
	}
}

/* A thin driver may have a rule of its own for tokens; most have not */
static int match_token(struct vfio_device *core_vdev, const uuid_t *uuid)
{
	int (*match)(struct vfio_device *core_vdev, const uuid_t *uuid);

	match = compat_match_token_op(core_vdev);
	if (!match)
		match = vfio_pci_core_match_token_uuid;
	return match(core_vdev, uuid);
}

/**
 * vfio_pci_core_match() - is this the device that a name means
 * @core_vdev: the device
 * @buf: "BDF", or "BDF vf_token=UUID", as given to VFIO_GROUP_GET_DEVICE_FD
 *
 * Context: Process context; may sleep. vfio.ko calls it with the group's
 *	device lock held.
 * Return:
 * * 1 - it is, and may be opened
 * * 0 - it is another device
 * * -EINVAL - it is, but what follows the address makes no sense, or a token
 *   was given in vain
 * * -EACCES - it is, but a VF token is missing or wrong
 */
int vfio_pci_core_match(struct vfio_device *core_vdev, char *buf)
{
	struct vfio_pci_core_device *vdev = to_vfio_pci(core_vdev);
	const char *name = pci_name(vdev->pdev);
	struct match_args args = { };
	size_t len = strlen(name);
	int ret;

	if (strncmp(name, buf, len))
		return 0;
	if (buf[len] && buf[len] != ' ')
		return 0;

	ret = parse_options(&args, buf + len);
	if (ret)
		return vfio_pci_refuse(vdev, ret,
				       "after the address only vf_token=<UUID> is understood, once");

	ret = match_token(core_vdev, args.has_token ? &args.token : NULL);
	return ret ?: 1;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_match);
